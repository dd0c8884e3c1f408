/**
 * @module The rules of the queue as Lua, one script per operation: Redis runs each alone and writes it to its log as a whole, so there
 * is no state between. KEYS[1] is the prefix of all keys (with a hash tag, so that a cluster keeps them on one node).
 *
 * Keys: `job:<tenant>/<id>` hash, all of one job · `wait:<tenant>` sorted set of the ids that wait and `all:<tenant>` of all, by
 * number of submission · `queued`, `running`, `start` (tag of the next turn), `share` ("weight cap") hashes by tenant · `meta` hash (seq,
 * virtual, queued) · `leases`, `deadlines`, `expiry`, `landmarks` (to forget) sorted sets of `<tenant>/<id>` by time · `ended` stream of jobs that ended ·
 * `changed:<tenant>/<id>` channel.
 *
 * Turns are those of FairTurns (fair-turns.ts), number for number.
 */

const COMMON = `
local P = KEYS[1]
local call = redis.call
-- Lua writes 14 digits where it is not told otherwise; tags need all 17.
local function exact(x) return string.format('%.17g', x) end
local function whole(x) return string.format('%.0f', x) end
local function split(ref) local at = string.find(ref, '/', 1, true); return string.sub(ref, 1, at - 1), string.sub(ref, at + 1) end
local function jobKey(ref) return P .. 'job:' .. ref end
local function virtual() return tonumber(call('HGET', P .. 'meta', 'virtual') or '0') end
local function tagOf(tenant) return tonumber(call('HGET', P .. 'start', tenant) or '') or virtual() end
local function shareOf(tenant)
  local share = call('HGET', P .. 'share', tenant)
  if not share then return 1, 1 end
  local weight, cap = string.match(share, '(%S+) (%S+)')
  return tonumber(weight), tonumber(cap)
end
local function count(hash, tenant, by)
  local n = call('HINCRBY', P .. hash, tenant, by)
  if n == 0 then call('HDEL', P .. hash, tenant) end
  return n
end
local function changed(ref, dump) call('PUBLISH', P .. 'changed:' .. ref, dump or '') end

local function enqueue(ref, seq)
  local tenant, id = split(ref)
  call('ZADD', P .. 'wait:' .. tenant, seq, id)
  call('HINCRBY', P .. 'meta', 'queued', 1)
  if count('queued', tenant, 1) == 1 then
    call('HSET', P .. 'start', tenant, exact(math.max(virtual(), tonumber(call('HGET', P .. 'start', tenant) or '0'))))
  end
end
local function dequeue(ref)
  local tenant, id = split(ref)
  call('ZREM', P .. 'wait:' .. tenant, id)
  call('HINCRBY', P .. 'meta', 'queued', -1)
  count('queued', tenant, -1)
end
-- Takes the lease away. Returns 1 when that lets another job of the tenant start.
local function release(ref)
  local tenant = split(ref)
  call('ZREM', P .. 'leases', ref)
  call('HDEL', jobKey(ref), 'token', 'leaseUntil')
  local running = count('running', tenant, -1)
  local _, cap = shareOf(tenant)
  if running + 1 >= cap and call('HEXISTS', P .. 'queued', tenant) == 1 then return 1 end
  return 0
end

-- All return how many more jobs may start now: that many takers are to be woken.
local function finish(ref, now, state, field, value)
  local key = jobKey(ref)
  local wake = 0
  if call('HGET', key, 'state') == 'queued' then dequeue(ref) else wake = release(ref) end
  local expires = whole(tonumber(now) + tonumber(call('HGET', key, 'ttlMs')))
  call('HSET', key, 'state', state, 'finishedAt', now, 'expiresAt', expires)
  if field then call('HSET', key, field, value) end
  call('ZREM', P .. 'deadlines', ref)
  call('ZADD', P .. 'expiry', expires, ref)
  -- They are most of a job; a minute is enough for who comes late.
  if call('HEXISTS', key, 'landmarks') == 1 then call('ZADD', P .. 'landmarks', whole(tonumber(now) + 60000), ref) end
  call('XADD', P .. 'ended', 'MAXLEN', '~', 100000, '*', 'ref', ref)
  call('PUBLISH', P .. 'ended', '')
  changed(ref)
  return wake
end
local function expire(ref, now)
  local key = jobKey(ref)
  local limit = whole(tonumber(call('HGET', key, 'deadlineAt')) - tonumber(call('HGET', key, 'createdAt')))
  return finish(ref, now, 'failed', 'error', '{"code":"FW_JOB_DEADLINE","params":{"limitMs":' .. limit .. '}}')
end
local function requeue(ref, attempt)
  local key = jobKey(ref)
  release(ref)
  -- Its number is smaller than those of all that wait for the first time.
  enqueue(ref, call('HGET', key, 'seq'))
  call('HSET', key, 'state', 'queued', 'attempt', attempt)
  call('HDEL', key, 'progress', 'landmarks')
  changed(ref)
  return 1
end
local function lose(ref, now)
  local attempt = tonumber(call('HGET', jobKey(ref), 'attempt'))
  if attempt < 2 then return requeue(ref, attempt) end
  return finish(ref, now, 'failed', 'error', '{"code":"FW_WORKER_LOST","params":{"attempts":' .. attempt .. '}}')
end
-- Whether the token still holds; where time has ended the lease or the job, that is done here.
local function held(ref, token, now)
  local job = call('HMGET', jobKey(ref), 'state', 'token', 'deadlineAt', 'leaseUntil')
  if job[1] ~= 'processing' or job[2] ~= token then return false, 0 end
  if tonumber(job[3]) <= tonumber(now) then return false, expire(ref, now) end
  if tonumber(job[4]) <= tonumber(now) then return false, lose(ref, now) end
  return true, 0
end
`;

/** ARGV: ref, job as JSON, createdAt, deadlineAt, ttlMs, maxQueued, tenantMaxPending, weight, maxProcessing. */
const SUBMIT = `
local ref = ARGV[1]
local key = jobKey(ref)
local tenant, id = split(ref)
call('HSET', P .. 'share', tenant, ARGV[8] .. ' ' .. ARGV[9])
if call('EXISTS', key) == 1 then return {'existing', call('HGETALL', key)} end
local pending = tonumber(call('HGET', P .. 'queued', tenant) or '0') + tonumber(call('HGET', P .. 'running', tenant) or '0')
if pending >= tonumber(ARGV[7]) then return {'tenant-full', pending} end
local queued = tonumber(call('HGET', P .. 'meta', 'queued') or '0')
if queued >= tonumber(ARGV[6]) then return {'queue-full', queued} end
local seq = call('HINCRBY', P .. 'meta', 'seq', 1)
call('HSET', key, 'job', ARGV[2], 'createdAt', ARGV[3], 'deadlineAt', ARGV[4], 'ttlMs', ARGV[5], 'seq', seq, 'state', 'queued', 'attempt', 0)
call('ZADD', P .. 'all:' .. tenant, seq, id)
call('ZADD', P .. 'deadlines', ARGV[4], ref)
enqueue(ref, seq)
changed(ref)
return {'accepted', call('HGETALL', key)}
`;

/** ARGV: token, now, leaseMs, consumer. Returns the job that starts, or nothing. */
const START = `
local now = tonumber(ARGV[2])
local function hash(name)
  local flat, map = call('HGETALL', P .. name), {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end
local function next()
  local running, start = hash('running'), hash('start')
  local best, bestTag
  for tenant in pairs(hash('queued')) do
    local _, cap = shareOf(tenant)
    if tonumber(running[tenant] or '0') < cap then
      local tag = tonumber(start[tenant])
      if not best or tag < bestTag or (tag == bestTag and tenant < best) then best, bestTag = tenant, tag end
    end
  end
  return best
end
for _ = 1, 10000 do
  local tenant = next()
  if not tenant then return false end
  local ref = tenant .. '/' .. call('ZRANGE', P .. 'wait:' .. tenant, 0, 0)[1]
  local key = jobKey(ref)
  if tonumber(call('HGET', key, 'deadlineAt')) <= now then
    expire(ref, ARGV[2])
  else
    dequeue(ref)
    count('running', tenant, 1)
    local tag = math.max(virtual(), tagOf(tenant))
    local weight = shareOf(tenant)
    call('HSET', P .. 'meta', 'virtual', exact(tag))
    call('HSET', P .. 'start', tenant, exact(tag + 1 / weight))
    local untilMs = whole(now + tonumber(ARGV[3]))
    call('HSET', key, 'state', 'processing', 'startedAt', ARGV[2], 'token', ARGV[1], 'leaseUntil', untilMs, 'consumer', ARGV[4])
    call('HINCRBY', key, 'attempt', 1)
    call('ZADD', P .. 'leases', untilMs, ref)
    changed(ref)
    return call('HGETALL', key)
  end
end
return false
`;

/** ARGV: ref, token, now, leaseMs. These return {held, wake}. */
const RENEW = `
local ok, wake = held(ARGV[1], ARGV[2], ARGV[3])
if not ok then return {0, wake} end
local untilMs = whole(tonumber(ARGV[3]) + tonumber(ARGV[4]))
call('HSET', jobKey(ARGV[1]), 'leaseUntil', untilMs)
call('ZADD', P .. 'leases', untilMs, ARGV[1])
return {1, 0}
`;
/** ARGV: ref, token, now, then fields and values. */
const REPORT = `
local ok, wake = held(ARGV[1], ARGV[2], ARGV[3])
if not ok then return {0, wake} end
if #ARGV > 3 then call('HSET', jobKey(ARGV[1]), unpack(ARGV, 4)) end
changed(ARGV[1])
return {1, 0}
`;
/** ARGV: ref, token, now, outcome. */
const COMPLETE = `
local done = call('HMGET', jobKey(ARGV[1]), 'state', 'doneBy')
-- Done before by the same holder, whose answer was lost.
if done[1] == 'succeeded' and done[2] == ARGV[2] then return {1, 0} end
local ok, wake = held(ARGV[1], ARGV[2], ARGV[3])
if not ok then return {0, wake} end
call('HSET', jobKey(ARGV[1]), 'doneBy', ARGV[2])
return {1, finish(ARGV[1], ARGV[3], 'succeeded', 'outcome', ARGV[4])}
`;
/** ARGV: ref, token, now, error, retry. */
const FAIL = `
local ok, wake = held(ARGV[1], ARGV[2], ARGV[3])
if not ok then return {0, wake} end
local attempt = tonumber(call('HGET', jobKey(ARGV[1]), 'attempt'))
if ARGV[5] == '1' and attempt < 2 then return {1, requeue(ARGV[1], attempt)} end
return {1, finish(ARGV[1], ARGV[3], 'failed', 'error', ARGV[4])}
`;
const HAND_BACK_OF = `
local function handBack(ref, token, now)
  local ok, wake = held(ref, token, now)
  if not ok then return {0, wake} end
  local tenant = split(ref)
  requeue(ref, tonumber(call('HGET', jobKey(ref), 'attempt')) - 1)
  local weight = shareOf(tenant)
  call('HSET', P .. 'start', tenant, exact(tagOf(tenant) - 1 / weight))
  return {1, 1}
end
`;
/** ARGV: ref, token, now. The turn was not used: it comes back, too. */
const HAND_BACK = `${HAND_BACK_OF}
return handBack(ARGV[1], ARGV[2], ARGV[3])
`;
/** ARGV: token, now. The same where the answer to `fwStart` was lost: whatever it started, if anything. Looks at all that run. */
const HAND_BACK_UNKNOWN = `${HAND_BACK_OF}
for _, ref in ipairs(call('ZRANGE', P .. 'leases', 0, -1)) do
  if call('HGET', jobKey(ref), 'token') == ARGV[1] then return handBack(ref, ARGV[1], ARGV[2]) end
end
return {0, 0}
`;

/** ARGV: ref, now, remove. Returns {job, wake}, or nothing. */
const CANCEL = `
local ref = ARGV[1]
local key = jobKey(ref)
local state = call('HGET', key, 'state')
if not state then return false end
local wake = 0
local isOpen = state == 'queued' or state == 'processing'
if isOpen then wake = finish(ref, ARGV[2], 'canceled') end
local dump = call('HGETALL', key)
if ARGV[3] == '1' then
  local tenant, id = split(ref)
  call('DEL', key)
  call('ZREM', P .. 'all:' .. tenant, id)
  call('ZREM', P .. 'expiry', ref)
  call('ZREM', P .. 'landmarks', ref)
  if isOpen then
    local text = cjson.encode(dump)
    call('XADD', P .. 'ended', '*', 'ref', ref, 'dump', text)
    changed(ref, text)
  end
end
return {dump, wake}
`;

/** ARGV: tenant, id. */
const POSITION = `
local own = ARGV[1]
local ahead = call('ZRANK', P .. 'wait:' .. own, ARGV[2])
if not ahead then return false end
local weight = shareOf(own)
local tag = tagOf(own) + ahead / weight
local before = ahead
local lines = call('HGETALL', P .. 'queued')
for i = 1, #lines, 2 do
  local tenant, queued = lines[i], tonumber(lines[i + 1])
  if tenant ~= own then
    local share = shareOf(tenant)
    local turns = (tag - tagOf(tenant)) * share
    local n = math.ceil(turns)
    if n == turns and tenant < own then n = n + 1 end
    before = before + math.min(queued, math.max(0, n))
  end
end
return before
`;

/** ARGV: tenant, highest seq ("+inf" or "(n"), limit. One more than asked tells whether there is a next page. */
const LIST = `
local jobs = {}
for i, id in ipairs(call('ZREVRANGEBYSCORE', P .. 'all:' .. ARGV[1], ARGV[2], '-inf', 'LIMIT', 0, ARGV[3])) do
  jobs[i] = call('HGETALL', jobKey(ARGV[1] .. '/' .. id))
end
return jobs
`;

/** ARGV: now, limit. Returns {how many were treated, wake}. */
const SWEEP = `
local done, wake = 0, 0
for _, ref in ipairs(call('ZRANGEBYSCORE', P .. 'deadlines', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  wake = wake + expire(ref, ARGV[1])
  done = done + 1
end
for _, ref in ipairs(call('ZRANGEBYSCORE', P .. 'leases', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  wake = wake + lose(ref, ARGV[1])
  done = done + 1
end
for _, ref in ipairs(call('ZRANGEBYSCORE', P .. 'landmarks', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  call('HDEL', jobKey(ref), 'landmarks')
  call('ZREM', P .. 'landmarks', ref)
  done = done + 1
end
return {done, wake}
`;

/** How many jobs may start now. */
const STARTABLE = `
local n = 0
local lines = call('HGETALL', P .. 'queued')
for i = 1, #lines, 2 do
  local _, cap = shareOf(lines[i])
  n = n + math.max(0, math.min(tonumber(lines[i + 1]), cap - tonumber(call('HGET', P .. 'running', lines[i]) or '0')))
end
return n
`;

/** ARGV: now, limit. */
const REMOVE_EXPIRED = `
local jobs = {}
for i, ref in ipairs(call('ZRANGEBYSCORE', P .. 'expiry', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local tenant, id = split(ref)
  jobs[i] = call('HGETALL', jobKey(ref))
  call('DEL', jobKey(ref))
  call('ZREM', P .. 'all:' .. tenant, id)
  call('ZREM', P .. 'expiry', ref)
  call('ZREM', P .. 'landmarks', ref)
end
return jobs
`;

/** Name → script, for `defineCommand`; each has one key. */
export const SCRIPTS = {
  fwSubmit: SUBMIT,
  fwStart: START,
  fwRenew: RENEW,
  fwReport: REPORT,
  fwComplete: COMPLETE,
  fwFail: FAIL,
  fwHandBack: HAND_BACK,
  fwHandBackUnknown: HAND_BACK_UNKNOWN,
  fwCancel: CANCEL,
  fwPosition: POSITION,
  fwList: LIST,
  fwSweep: SWEEP,
  fwStartable: STARTABLE,
  fwRemoveExpired: REMOVE_EXPIRED,
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/** Whole text of a script. */
export const scriptText = (name: ScriptName): string => COMMON + SCRIPTS[name];
