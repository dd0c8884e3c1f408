/** What the engine says in English why a face is doubtful, and the same in Chinese. Numbers and parts of the face are filled in. */
const REASONS: readonly (readonly [pattern: RegExp, text: (...found: string[]) => string])[] = [
  [/^its landmarks move when they are looked for again$/, () => '再次测量时特征点的位置会变'],
  [/^its halves do not belong together$/, () => '左右两半互不相称'],
  [/^the landmark network gives it ([\d.]+) of 1$/, (score) => `特征点网络只给出 ${score} 分，满分 1 分`],
  [
    /^the detector gives it ([\d.]+), a face in plain sight ([\d.]+) or more$/,
    (score, usual) => `检测得分 ${score}，清晰可见的人脸在 ${usual} 以上`,
  ],
  [
    /^something covers the (.+)$/,
    (parts) =>
      `有东西遮住了${parts
        .split(' and the ')
        .map((part) => PARTS[part] ?? part)
        .join('和')}`,
  ],
  [/^areas of one colour and hard outlines$/, () => '有大片单色和生硬的轮廓'],
  [/^the skin has no colour$/, () => '皮肤没有颜色'],
  [/^the photo shows no skin where the face should be$/, () => '照片中应是人脸的地方没有皮肤'],
];

const PARTS: Readonly<Record<string, string>> = {
  nose: '鼻子',
  cheeks: '两颊',
  'right cheek': '右脸颊',
  'left cheek': '左脸颊',
  chin: '下巴',
};

/** The reasons of the engine, which come as English words joined by semicolons, in Chinese; those that are not known stay as they are. */
export function translateReason(reason: string): string {
  return reason
    .split('; ')
    .map((part) => {
      for (const [pattern, text] of REASONS) {
        const found = pattern.exec(part);
        if (found !== null) return text(...found.slice(1));
      }
      return part;
    })
    .join('；');
}
