/**
 * A stand-in for the worker program: does what the id of a job (or the setting `cacheDir` at the start) says, without an engine.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const send = (message) => process.connected && process.send(message);
const RESULT = {
  model: { id: 'head', version: '1' },
  provider: 'cpu',
  face: { index: 1, count: 1 },
  photo: { widthPx: 10, heightPx: 10, format: 'jpeg' },
  pose: { yawDeg: 0, pitchDeg: 0, rollDeg: 0 },
  quality: { confidence: 1, residualRatio: 0, eyeDistancePx: 100, observedRatio: 1 },
  blendshapes: [],
  timingsMs: { decode: 1, texture: 2 },
  warnings: [],
  files: [],
};
/** sha256 of "face". */
const SHA256_FACE = '0282d9b79f42c74c1550b20ff2dd16aafc3fe5d8ae9a00b2f66996d0ae882775';

process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  if (message.type === 'start') {
    const how = message.settings.cacheDir;
    if (how === 'unable') {
      send({
        type: 'unable',
        error: {
          code: 'FW_PROVIDER_UNAVAILABLE',
          message: '',
          params: { provider: 'cuda', available: ['cpu'], reason: 'no such card' },
        },
        stack: 'a stack',
      });
      setTimeout(() => process.exit(1), 10);
    } else if (how === 'dies') {
      process.stderr.write('a library is missing\n', () => process.exit(127));
    } else if (how?.startsWith('dies once ') && !existsSync(how.slice('dies once '.length))) {
      writeFileSync(how.slice('dies once '.length), '');
      process.exit(3);
    } else {
      send({ type: 'ready', loadMs: 12 });
    }
  }
  if (message.type === 'run') run(message);
  if (message.type === 'cancel' && !ignoresCancel) {
    send({
      type: 'failed',
      number: message.number,
      error: { code: 'FW_CANCELED', message: '', params: { stage: 'fit' } },
      stack: '',
      rssBytes: 1,
    });
  }
  if (message.type === 'close') process.exit(0);
});

let ignoresCancel = false;

function run({ number, task }) {
  const done = (rssBytes = 1000, files = []) =>
    send({ type: 'done', number, result: { ...RESULT, provider: String(process.pid), files }, rssBytes });
  const [what, detail] = task.jobId.split('_');
  ignoresCancel = what === 'stubborn';
  switch (what) {
    case 'crash':
      process.kill(process.pid, 'SIGSEGV');
      break;
    case 'crashonce':
      if (existsSync(join(task.outputDir, '..', `${task.jobId}.seen`))) return done();
      writeFileSync(join(task.outputDir, '..', `${task.jobId}.seen`), '');
      process.exit(9);
      break;
    case 'loop':
      for (;;);
    case 'hang':
    case 'stubborn':
      send({ type: 'progress', number, progress: { stage: 'detect', index: 1, total: 6, ratio: 0.2 } });
      break;
    case 'slow':
      setTimeout(done, Number(detail));
      break;
    case 'fat':
      done(10 ** 12);
      break;
    case 'env':
      send({
        type: 'failed',
        number,
        error: { code: 'FW_INTERNAL', message: '', params: { what: JSON.stringify(process.env) } },
        stack: '',
        rssBytes: 1,
      });
      break;
    case 'refuse':
      send({
        type: 'failed',
        number,
        error: { code: 'FW_FACE_NOT_FOUND', message: '', params: { candidates: 0, bestScore: 0, minScore: 0.5 } },
        stack: 'a stack',
        rssBytes: 1,
      });
      break;
    default: {
      send({ type: 'progress', number, progress: { stage: 'decode', index: 0, total: 6, ratio: 0 } });
      send({ type: 'landmarks', number, landmarks: { widthPx: 10, heightPx: 10, points: [] } });
      writeFileSync(join(task.outputDir, 'face.glb'), 'face');
      done(1000, [{ name: 'face.glb', bytes: 4, contentType: 'model/gltf-binary', sha256: SHA256_FACE }]);
    }
  }
}
