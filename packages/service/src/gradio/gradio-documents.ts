/** Path in front of the routes, as clients of Gradio 5 and later learn it from `/config`. */
export const GRADIO_PREFIX = '/gradio_api';

const PHOTO = { label: 'photo', parameter_name: 'photo', parameter_has_default: false, component: 'Image' };
const FILE_TYPE = { type: { type: 'object' }, python_type: { type: 'filepath', description: '' } };

/** `GET /config`: what a client needs to find its way. No `root`: clients then use the address that they were given. */
export function gradioConfig(maxPhotoBytes: number): object {
  const dependency = {
    id: 0,
    api_name: 'predict',
    inputs: [1],
    outputs: [2, 3],
    queue: true,
    backend_fn: true,
    show_api: true,
    api_visibility: 'public',
    types: { generator: false, cancel: false },
    targets: [],
  };
  return {
    // What clients compare with: the routes are those of 5 and later.
    version: '5.0.0',
    protocol: 'sse_v3',
    api_prefix: GRADIO_PREFIX,
    enable_queue: true,
    max_file_size: maxPhotoBytes,
    connect_heartbeat: false,
    run_history: false,
    components: [
      { id: 1, type: 'image', props: {} },
      { id: 2, type: 'model3d', props: {} },
      { id: 3, type: 'image', props: {} },
    ],
    dependencies: [dependency],
  };
}

/** `GET /info`: parameters and results of `/predict`. */
export function gradioInfo(): object {
  const returns = [
    { label: 'mesh', ...FILE_TYPE, component: 'Model3d' },
    { label: 'uv', ...FILE_TYPE, component: 'Image' },
  ];
  return { named_endpoints: { '/predict': { parameters: [{ ...PHOTO, ...FILE_TYPE }], returns, show_api: true } }, unnamed_endpoints: {} };
}
