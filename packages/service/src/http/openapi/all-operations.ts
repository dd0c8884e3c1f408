import { BATCH_OPERATIONS } from '../../batches/batch-operations.ts';
import { WEBHOOK_OPERATIONS } from '../../webhooks/webhook-operations.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './operations.ts';

/** Every route of the API that is documented. */
export const ALL_OPERATIONS: readonly Operation[] = [...OPERATIONS, ...BATCH_OPERATIONS, ...WEBHOOK_OPERATIONS];
