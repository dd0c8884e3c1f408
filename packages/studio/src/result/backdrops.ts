/** What is behind the face, in the viewer and in films of it; result.css has the colours. */
export const BACKDROPS = ['studio', 'white', 'grey', 'black'] as const;
export type Backdrop = (typeof BACKDROPS)[number];
