// What calls cost from Node.js, by koffi, with texts that are encoded once. As calls.c.
import { env, argv, stdin, stdout, exit, hrtime } from 'node:process';
import koffi from 'koffi';

const MANY = 100;
const lib = koffi.load(env.ZT_LIBRARY ?? 'libzt.so.1');
for (const kind of ['runtime', 'session', 'decision', 'located', 'secret_handle', 'error']) {
  koffi.opaque(`zt_${kind}`);
}
const c = (prototype) => lib.func(prototype);
const made = (function_, ...args) => {
  const place = [null];
  const status = function_(...args, place, null);
  if (status !== 0) {
    throw new Error(`zt answers ${status}`);
  }
  return place[0];
};

const ERR = 'zt_error **err';
const open = c(`int zt_open(const char *folder, _Out_ zt_runtime **runtime, ${ERR})`);
const close = c(`int zt_runtime_close(const zt_runtime *runtime, uint64_t timeout_ms, ${ERR})`);
const authenticate = c(`int zt_authenticate(const zt_runtime *runtime, const char *token, _Out_ zt_session **session, ${ERR})`);
const claiming = c(`int zt_session_claiming(const zt_session *session, uint32_t job, uint32_t stage, _Out_ zt_session **made, ${ERR})`);
const locate = c(`int zt_session_locate(const zt_session *session, const char *resource, _Out_ zt_located **located, ${ERR})`);
const handleOf = c(`int zt_session_secret_handle(const zt_session *session, const char *reference, _Out_ zt_secret_handle **made, ${ERR})`);
const isAllowed = c('bool zt_decision_is_allowed(const zt_decision *decision)');
const freeDecision = c('void zt_decision_free(zt_decision *decision)');
const checkAt = c(`int zt_check_at(const zt_session *session, const uint8_t *action, const zt_located *located, uint8_t *allowed, zt_decision **decision, ${ERR})`);
const check = c(`int zt_check(const zt_session *session, const uint8_t *action, const uint8_t *resource, _Out_ zt_decision **decision, ${ERR})`);
const read = c(`int zt_secret_handle_read(const zt_secret_handle *handle, uint8_t *buffer, size_t capacity, uint8_t *length, ${ERR})`);
const checkMany = c(`int zt_check_many(const zt_session *session, const uint8_t *action, const char **resources, size_t count, uint8_t *allowed, zt_decision **decisions, ${ERR})`);

const zt = made(open, argv[2]);
const job = made(claiming, made(authenticate, zt, env.ZT_TOKEN), 201, 2);
const resource = made(locate, job, 'secret:bureau-api-key');
const key = made(handleOf, job, 'bureau-api-key');
const [action, about] = ['secret.get', 'secret:bureau-api-key'].map((text) => Buffer.from(`${text}\0`));
const [out, length, buffer] = [Buffer.alloc(MANY), Buffer.alloc(8), Buffer.alloc(64)];
const list = Array(MANY).fill('secret:bureau-api-key');
const place = [null];

const cases = [
  ['nothing', 1, () => !isAllowed(null)],
  ['handle', 1, () => checkAt(job, action, resource, out, null, null) === 0 && out[0] === 1],
  ['text', 1, () => {
    const status = check(job, action, about, place, null);
    const allowed = isAllowed(place[0]);
    freeDecision(place[0]);
    return status === 0 && allowed;
  }],
  ['copy', 1, () => read(key, buffer, 64, length, null) === 0],
  ['many', MANY, () => checkMany(job, action, list, MANY, out, null, null) === 0 && out[MANY - 1] === 1],
];

const calls = Number(argv[3]);
let right = true;
stdout.write(`${cases.map(([name]) => name).join(' ')}\n`);
// One byte asks for a line: nanoseconds of each case.
const sample = () => {
  const took = cases.map(([, ofCalls, call]) => {
    const count = Math.floor(calls / ofCalls) + 1;
    const began = hrtime.bigint();
    for (let at = 0; at < count; at += 1) {
      right = call() && right;
    }
    return (Number(hrtime.bigint() - began) / count).toFixed(1);
  });
  stdout.write(`${took.join(' ')}\n`);
};
for await (const asked of stdin) {
  asked.forEach(sample);
}
exit(close(zt, 60000, null) === 0 && right ? 0 : 1);
