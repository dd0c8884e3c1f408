// A worker process for tests: the name of the photo says what happens.
process.on('message', (message) => {
  if (message.type === 'close') process.disconnect();
  if (message.type !== 'make') return;
  const { photo, target } = message.job;
  if (photo.includes('segfault')) process.kill(process.pid, 'SIGSEGV');
  else if (photo.includes('exit')) {
    process.stderr.write('native trouble\n', () => process.exit(3));
  } else if (photo.includes('fails')) {
    const error = { code: 'FW_FACE_TOO_SMALL', message: 'x', params: { widthPx: 12, minPx: 40 } };
    process.send({ type: 'failed', error, stack: 'the stack over there' });
  } else if (!photo.includes('hangs')) {
    const made = { state: 'made', target, files: [], faces: [], refused: [], provider: `process ${process.pid}` };
    process.send({ type: 'made', made });
  }
});
