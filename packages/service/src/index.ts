export { type ConfigSource, type ReadConfig, type ReadConfigInput, readConfig, type ShownSetting } from './config/read-config.ts';
export { runServiceProcess, type ServiceProcessInput } from './run-service-process.ts';
export type { ServiceRole } from './start-service.ts';
export { createKey, type ListedKey, listKeys, type NewKey, revokeKey } from './tenants/manage-keys.ts';
