import type { ErrorTexts, WarningTexts } from './error-text.ts';
import { translateReason } from './translate-reason.ts';

const percent = (ratio: number): string => `${Math.round(100 * ratio)}%`;
const degrees = (value: number): string => `${Math.ceil(Math.abs(value))}°`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const because = ({ reason }: { readonly reason: string }): string => `（${translateReason(reason)}）`;
const operator = '请告知服务的运营者。';

/** 错误表的全部中文文字。 */
export const errorsZh: ErrorTexts = {
  FW_ARG_INVALID: {
    title: '选项无效',
    message: (p) => `选项 ${p.name} 的值无效，应为：${p.expected}`,
    hint: '请修改该选项后重新发送照片。',
  },
  FW_PHOTO_UNREADABLE: { title: '无法读取照片', message: () => '照片无法读取', hint: '请确认文件存在且可读。' },
  FW_PHOTO_EMPTY: { title: '照片是空的', message: () => '照片没有任何内容', hint: '请重新发送文件，上传或复制可能被中断。' },
  FW_PHOTO_NOT_IMAGE: {
    title: '这不是照片',
    message: (p) => `Facewright 无法读取这种文件（识别为：${p.found}）`,
    hint: '请使用 JPEG、PNG、WebP、AVIF、TIFF 或 GIF；以内容为准，与文件名无关。',
  },
  FW_PHOTO_TRUNCATED: {
    title: '照片已损坏',
    message: (p) => `照片已损坏或不完整${because(p)}`,
    hint: '请重新复制或上传，或用其他程序另存一次。',
  },
  FW_PHOTO_TOO_SMALL: {
    title: '照片太小',
    message: (p) => `照片为 ${p.width} × ${p.height} 像素，每边至少需要 ${p.minPx} 像素`,
    hint: '请使用更大的照片；人脸宽度达到 200 像素以上，贴图才会清晰。',
  },
  FW_PHOTO_TOO_MANY_BYTES: {
    title: '照片文件太大',
    message: (p) => `照片有 ${mebibytes(p.bytes)}，上限为 ${mebibytes(p.maxBytes)}`,
    hint: '请另存为更小的文件，例如 JPEG。',
  },
  FW_PHOTO_TOO_MANY_PIXELS: {
    title: '照片像素太多',
    message: (p) => `照片为 ${p.width} × ${p.height} 像素，总数上限为 ${p.maxPixels}`,
    hint: '请缩小尺寸后重新发送。',
  },
  FW_PHOTO_DECODE_TIMEOUT: {
    title: '照片读取时间过长',
    message: (p) => `照片未能在 ${p.limitMs} 毫秒内解码`,
    hint: '请另存为 JPEG 或 PNG。',
  },
  FW_FACE_NOT_FOUND: {
    title: '没有找到人脸',
    message: (p) => `没有找到人脸（最高得分 ${p.bestScore.toFixed(2)}，需要 ${p.minScore}）`,
    hint: '请使用正面、光线均匀、只有一个人的照片，人脸至少占画面宽度的十分之一。',
  },
  FW_FACE_TOO_SMALL: {
    title: '人脸太小',
    message: (p) => `人脸宽 ${Math.round(p.widthPx)} 像素，至少需要 ${p.minPx} 像素`,
    hint: '请使用原图而不是缩略图，或靠近一些拍摄。',
  },
  FW_FACE_CUT: {
    title: '人脸被裁切',
    message: (p) => `照片边缘裁掉了部分人脸（画面内只有 ${percent(p.visibleRatio)}）`,
    hint: '请使用包含完整人脸、四周留有空间的照片。',
  },
  FW_FACE_PROFILE: {
    title: '人脸转得太偏',
    message: (p) => `人脸侧转 ${degrees(p.yawDeg)}，最多可处理 ${p.maxDeg}°`,
    hint: '请使用能看到双眼的照片。',
  },
  FW_FACE_SEVERAL: {
    title: '照片中有多张脸',
    message: (p) => `照片中有 ${p.faces.length} 张大小相近的脸`,
    hint: '请选择其中一张标出的脸，或使用单人照片。',
  },
  FW_FACE_INDEX: {
    title: '照片中没有这张脸',
    message: (p) => `要求第 ${p.index} 张脸，但照片中只有 ${p.count} 张`,
    hint: '请重新发送照片，不要指定人脸。',
  },
  FW_FACE_NOT_HUMAN: {
    title: '这看起来不像人脸',
    message: (p) => `找到的内容不像可以测量的人脸${because(p)}`,
    hint: '请使用一张无遮挡、端正、光线均匀的人脸照片。',
  },
  FW_FIT_FAILED: {
    title: '无法为这张脸拟合头部',
    message: (p) => `人脸模型无法与这张照片吻合${because(p)}`,
    hint: '请使用更清晰的正面照片。',
  },
  FW_MODEL_UNKNOWN: {
    title: '没有这个人脸模型',
    message: (p) => `没有名为“${p.model}”的人脸模型（可用：${p.known.join('、')}）`,
    hint: '请在选项中选择其他模型。',
  },
  FW_MODEL_CORRUPT: { title: '服务的模型文件已损坏', message: () => '服务的模型文件已损坏', hint: operator },
  FW_MODEL_VERSION: {
    title: '服务的模型文件版本不符',
    message: (p) => `模型文件的格式版本为 ${p.found}，程序需要 ${p.expected}`,
    hint: operator,
  },
  FW_NETWORK_CORRUPT: { title: '服务的网络文件已损坏', message: (p) => `网络“${p.name}”缺失或不符`, hint: operator },
  FW_PROVIDER_UNAVAILABLE: {
    title: '服务无法按设置进行计算',
    message: (p) => `计算后端“${p.provider}”在此不可用`,
    hint: operator,
  },
  FW_OUTPUT_NOT_WRITABLE: { title: '结果无法写入', message: () => '服务无法写入结果', hint: operator },
  FW_OUTPUT_DISK_FULL: { title: '服务的磁盘已满', message: () => '磁盘已满，结果未写入', hint: '请稍后再试；运营者需要清理空间。' },
  FW_BATCH_FAILED: {
    title: '部分照片未能完成',
    message: (p) => `${p.total} 张照片中有 ${p.failed} 张未能完成`,
    hint: '下方每张照片都说明了原因。',
  },
  FW_CANCELED: { title: '已取消', message: () => '任务已取消', hint: '没有保留任何内容。重新发送照片即可再次开始。' },
  FW_REQUEST_INVALID: {
    title: '请求不符合服务的要求',
    message: (p) => `请求有误的字段：${p.problems.map((i) => i.field).join('、')}`,
    hint: '请刷新页面，它可能比服务旧。',
  },
  FW_REQUEST_TIMEOUT: {
    title: '上传时间过长',
    message: (p) => `请求未能在 ${p.limitMs} 毫秒内完整到达`,
    hint: '请使用更快的网络，或发送更小的照片。',
  },
  FW_AUTH_REQUIRED: { title: '本服务需要密钥', message: () => '本服务需要 API 密钥', hint: '请输入运营者给您的密钥。' },
  FW_AUTH_INVALID: { title: '密钥无效', message: () => 'API 密钥不被识别或已吊销', hint: '请检查是否复制完整，或向运营者索取新的密钥。' },
  FW_NOT_FOUND: { title: '这里没有', message: () => '所请求的内容不存在', hint: '请检查编号；结果过期后会被删除。' },
  FW_METHOD_NOT_ALLOWED: {
    title: '此处不能这样做',
    message: (p) => `此处不支持 ${p.method}`,
    hint: '请刷新页面，它可能比服务旧。',
  },
  FW_ID_CONFLICT: {
    title: '这个编号已被使用',
    message: (p) => `编号 ${p.id} 已用于另一张照片或其他选项`,
    hint: '请重新选择照片，它会得到新的编号。',
  },
  FW_STATE_CONFLICT: { title: '已经来不及了', message: () => '当前状态下已无法执行此操作', hint: '请刷新页面查看当前状态。' },
  FW_BODY_TOO_LARGE: { title: '一次发送的内容太多', message: (p) => `请求超过 ${mebibytes(p.maxBytes)}`, hint: '请发送更小或更少的照片。' },
  FW_BATCH_TOO_MANY: { title: '一次的照片太多', message: (p) => `一次最多接受 ${p.max} 张照片`, hint: '请分成几批。' },
  FW_ARCHIVE_INVALID: {
    title: '压缩包不被接受',
    message: (p) => `zip 压缩包不被接受${because(p)}`,
    hint: '请把照片重新打包为普通 zip：不加密、无链接、无嵌套压缩包。',
  },
  FW_MEDIA_UNSUPPORTED: {
    title: '不接受这种文件',
    message: (p) => `收到的内容是 ${p.found}`,
    hint: '请使用 JPEG、PNG、WebP、AVIF、TIFF 或 GIF。',
  },
  FW_RANGE_INVALID: {
    title: '文件没有这一部分',
    message: (p) => `请求的范围超出文件（${p.totalBytes} 字节）`,
    hint: '请刷新页面后重新下载。',
  },
  FW_RATE_LIMITED: { title: '请求有点太快', message: (p) => `请求过多，请在 ${p.retryAfterS} 秒后再试`, hint: '稍等片刻后会自动继续。' },
  FW_QUEUE_FULL: {
    title: '服务正忙',
    message: (p) => `队列已满（${p.queued} 张照片在等待），请在 ${p.retryAfterS} 秒后再试`,
    hint: '不会丢失任何内容：稍后会自动重新发送照片。',
  },
  FW_TENANT_QUEUE_FULL: {
    title: '您已有许多照片在等待',
    message: (p) => `您已有 ${p.queued} 张照片在等待或处理中（上限 ${p.max}），请在 ${p.retryAfterS} 秒后再试`,
    hint: '不会丢失任何内容：稍后会自动重新发送照片。',
  },
  FW_STORAGE_QUOTA: {
    title: '您的存储空间已用完',
    message: (p) => `已用 ${mebibytes(p.usedBytes)}，共 ${mebibytes(p.maxBytes)}`,
    hint: '请删除不再需要的结果，或等待它们过期。',
  },
  FW_STORAGE_FULL: {
    title: '服务的存储空间已满',
    message: () => '服务的存储空间已满，本次请求未保留任何内容',
    hint: '请稍后再试；运营者需要清理空间。',
  },
  FW_STORAGE_UNAVAILABLE: {
    title: '服务的存储没有响应',
    message: (p) => `服务的存储没有响应${because(p)}`,
    hint: '请稍后再试；运营者可凭请求编号在日志中查到原因。',
  },
  FW_QUEUE_UNAVAILABLE: {
    title: '服务的队列没有响应',
    message: (p) => `服务的任务队列没有响应${because(p)}`,
    hint: '请稍后再试；运营者可凭请求编号在日志中查到原因。',
  },
  FW_STARTING: { title: '服务正在启动', message: () => '服务正在启动，尚未就绪', hint: '请几秒后再试。' },
  FW_DRAINING: { title: '服务正在重启', message: () => '该实例正在关闭，不再接受新任务', hint: '请重新发送，其他实例会接手。' },
  FW_LINK_INVALID: { title: '链接已失效', message: () => '此链接无效或已过期', hint: '请刷新页面以获得新的链接。' },
  FW_JOB_DEADLINE: {
    title: '处理时间过长',
    message: (p) => `未能在 ${Math.round(p.limitMs / 1000)} 秒内完成`,
    hint: '请在服务空闲一些时重新发送照片。',
  },
  FW_WORKER_LOST: {
    title: '处理这张照片时中断',
    message: (p) => `处理进程在处理这张照片时终止（已尝试 ${p.attempts} 次）`,
    hint: '请用其他程序另存照片后重新发送；如果仍然失败，请报告。',
  },
  FW_WEBHOOK_REFUSED: { title: '回调地址不被接受', message: (p) => `此回调地址不被接受${because(p)}`, hint: '请使用公开的 https 地址。' },
  FW_CONFIG_INVALID: { title: '服务的配置有误', message: () => '服务的配置无效', hint: operator },
  FW_LISTEN_FAILED: { title: '服务无法启动', message: () => '服务无法监听其地址', hint: operator },
  FW_ORIGIN_REFUSED: {
    title: '服务不接受来自此地址的请求',
    message: (p) => `服务拒绝了该请求（${p.header}）`,
    hint: '请使用运营者提供的地址打开本页。',
  },
  FW_INTERNAL: {
    title: '服务内部出错',
    message: () => '发生了不应发生的错误',
    hint: '请重试；如果再次出现，请把下面的请求编号告诉运营者。',
  },
};

/** 警告表的全部中文文字。 */
export const warningsZh: WarningTexts = {
  PHOTO_ANIMATED: { message: (p) => `这是动画（${p.frames} 帧），只使用了第一帧`, hint: '请把需要的一帧另存为照片。' },
  PHOTO_EXTENSION: {
    message: (p) => `文件名为 .${p.extension}，内容却是 ${p.format}，已按 ${p.format} 读取`,
    hint: '请改正文件名，以便其他程序读取。',
  },
  PHOTO_GREY: { message: () => '照片没有颜色，因此贴图也没有颜色', hint: '请使用彩色照片。' },
  PHOTO_PROFILE_IGNORED: { message: (p) => `照片的色彩配置无法应用${because(p)}，已按 sRGB 处理`, hint: '请把照片保存为 sRGB。' },
  FACE_TURNED_PHOTO: { message: (p) => `照片中的人脸倾斜了 ${p.turnDeg}°`, hint: '如果结果不对，请把照片转正。' },
  FACE_SEVERAL: {
    message: (p) => `照片中有 ${p.faces.length} 张脸，使用了第 ${p.taken} 张`,
    hint: '如需其他人脸，请在选项中选择“让我选择”后重新发送。',
  },
  FACE_LOW_RESOLUTION: {
    message: (p) => `人脸只有 ${Math.round(p.widthPx)} 像素宽，贴图会偏模糊`,
    hint: '请使用人脸宽度至少 200 像素的照片。',
  },
  FACE_NEAR_BORDER: {
    message: (p) => `照片边缘裁掉了 ${percent(1 - p.visibleRatio)} 的人脸，该部分由程序补全`,
    hint: '请使用人脸四周留有空间的照片。',
  },
  FACE_TURNED_AWAY: { message: (p) => `人脸侧转约 ${Math.round(Math.abs(p.yawDeg))}°，远侧由近侧补全`, hint: '请使用正面照片。' },
  FACE_UNCERTAIN: { message: (p) => `对这张脸的识别不够确定${because(p)}`, hint: '头发、手、眼镜、口罩和浓重阴影会遮挡人脸，请检查结果。' },
  FACE_NOT_A_PHOTO: { message: (p) => `这可能是绘画、雕像或渲染图${because(p)}`, hint: 'Facewright 为真人照片而设计，请检查结果。' },
  FACE_EXPRESSION_STRONG: {
    message: (p) => `表情较强（${p.name} ${p.amount.toFixed(2)}），自然状态的脸不够确定`,
    hint: '请使用表情放松、闭嘴的照片。',
  },
  FIT_RESIDUAL_HIGH: {
    message: (p) => `拟合的人脸与特征点相差眼距的 ${(100 * p.residualRatio).toFixed(1)}%`,
    hint: '把网格叠在照片上即可看到位置。',
  },
  CAMERA_FOCAL_ASSUMED: {
    message: (p) => `照片没有焦距信息，假定为长边的 ${Number(p.focalRatio.toFixed(2))} 倍`,
    hint: '如果知道焦距，请在选项中填写。',
  },
  CACHE_NOT_WRITABLE: { message: () => '缓存目录无法写入，每次启动会稍慢', hint: '只需运营者知晓。' },
};
