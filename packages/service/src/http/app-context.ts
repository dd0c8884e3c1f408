// Types of request.parts().

import type { ReconstructionView } from '@facewright/protocol';
import type {} from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { Job } from '../jobs/job.ts';
import type { Span } from '../observability/create-tracing.ts';
import type { QuotaHold } from '../storage/create-quota-holds.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantCounters } from '../tenants/tenant-counters.ts';
import type { AppDeps } from './app-deps.ts';
import type { PhotoAcceptor } from './create-photo-acceptor.ts';
import type { StreamLimit } from './limit-streams.ts';

/**
 * Who may use a route. `key`: tenants (and the single user); `link`: also whoever has a signed link to this path; `none`: everybody.
 */
export type RouteAccess = 'key' | 'link' | 'none';

/** What routes, also those of batches and of Gradio clients, are made of. */
export interface AppContext extends AppDeps {
  readonly models: readonly string[];
  /** The one way by which photos get in. */
  readonly photos: PhotoAcceptor;
  /** What the processes of the API count together. */
  readonly counters: TenantCounters;
  /** Counts an upload against its tenant's storage. */
  readonly holdQuota: (tenant: Tenant) => QuotaHold;
  /** Streams that one tenant may hold open. */
  readonly streams: StreamLimit;
  /** Aborts when the app closes: streams end, waiting requests are answered. */
  readonly closing: AbortSignal;
  /** A job as its tenant sees it, with its place in the queue where it waits. */
  viewJob(job: Job): Promise<ReconstructionView>;
  /** Path in front of every route as the caller sees it: the proxy's and ours. */
  prefixOf(request: FastifyRequest): string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** @default 'key' */
    access?: RouteAccess;
    /** The handler reads the body itself and asks for it when it wants it. */
    streamsBody?: boolean;
  }
  interface FastifyRequest {
    /** Who asks. There on every route but those with access `none`. */
    tenant: Tenant;
    /** W3C trace context that came with the request. */
    traceparent: string | null;
    span: Span | null;
    /** Code of the error that it was answered with. */
    problemCode: string | null;
    /** Id of the job that it is about. */
    jobId: string | null;
  }
}
