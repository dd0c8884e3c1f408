/** Version of the engine, written into what it makes. A test holds it against package.json. */
export const ENGINE_VERSION = '0.1.0';
