// zt for Node.js, by koffi: what waits is awaited on a thread of libuv, and a secret lies in one Buffer that is wiped.
//
// ZT_LIBRARY names the library's file; else the loader finds it by its name.
import { promisify } from 'node:util';
import koffi from 'koffi';

// A waiting call runs on a stack of its own.
koffi.config({ async_stack_size: 1 << 20 });
const names = { darwin: 'libzt.1.dylib', win32: 'zt.dll' };
const lib = koffi.load(process.env.ZT_LIBRARY ?? names[process.platform] ?? 'libzt.so.1');

const kinds = ['runtime', 'session', 'decision', 'secret', 'error', 'text', 'batch', 'sealer', 'opener'];
for (const kind of kinds) {
  koffi.opaque(`zt_${kind}`);
}
const free = Object.fromEntries(
  kinds.map((kind) => [kind, lib.func(`void zt_${kind}_free(zt_${kind} *handle)`)]),
);
const c = (prototype) => lib.func(prototype);

const abi = c('uint32_t zt_abi_version()');
const ABI = 1;
if (abi() !== ABI) {
  throw new Error(`libzt has ABI version ${abi()}, this file was made for ${ABI}`);
}

const error = {
  code: c('const char *zt_error_code(const zt_error *error)'),
  message: c('const char *zt_error_message(const zt_error *error)'),
  help: c('const char *zt_error_help(const zt_error *error)'),
  publicMessage: c('const char *zt_error_public_message(const zt_error *error)'),
  httpStatus: c('int32_t zt_error_http_status(const zt_error *error)'),
  decision: c('zt_decision *zt_error_decision(const zt_error *error)'),
};

/** Why zt refused or failed. `message` is for the log of this process; a remote caller may see `publicMessage` alone. */
export class ZtError extends Error {
  constructor(status, { message, ...rest }) {
    super(message);
    this.status = status;
    Object.assign(this, rest);
  }
}

function settled(status, err) {
  if (status === 0) {
    return;
  }
  const handle = err[0];
  try {
    const decision = error.decision(handle);
    throw new ZtError(status, {
      message: error.message(handle),
      code: error.code(handle),
      help: error.help(handle),
      publicMessage: error.publicMessage(handle),
      httpStatus: error.httpStatus(handle),
      decision: decision === null ? null : new Decision(decision),
    });
  } finally {
    free.error(handle);
  }
}

const wipe = c('void zt_wipe(uint8_t *bytes, size_t length)');

/** A text for C, ended by NUL. C would read one that holds a NUL cut short, and ask another question than the program. */
function cText(text) {
  if (/[\0\p{Surrogate}]/u.test(text)) {
    const message = 'a text holds a NUL, or half of a character';
    const rest = { code: 'ZT-5001', help: null, publicMessage: 'invalid request', httpStatus: 400, decision: null };
    throw new ZtError(5001, { message, ...rest });
  }
  const bytes = Buffer.alloc(Buffer.byteLength(text) + 1);
  bytes.write(text);
  return bytes;
}

/** What C is given for the arguments of one call: handles that stay until it ends, and texts that are wiped then. */
class Given {
  #texts = [];
  #handles = [];
  all = [];

  constructor(args) {
    try {
      this.all = args.map((one) => this.#give(one));
    } catch (why) {
      this.end();
      throw why;
    }
  }

  #give(one) {
    if (typeof one === 'string') {
      const text = cText(one);
      this.#texts.push(text);
      return text;
    }
    if (one instanceof Owned) {
      const handle = one.enter();
      this.#handles.push(one);
      return handle;
    }
    return one;
  }

  end() {
    this.#texts.forEach((text) => wipe(text, text.length));
    this.#handles.forEach((owned) => owned.leave());
  }
}

/** Calls at once, for what does not wait. */
function call(function_, ...args) {
  const err = [null];
  const given = new Given(args);
  try {
    settled(function_(...given.all, err), err);
  } finally {
    given.end();
  }
}

/** Calls on another thread, for what may wait on the disk or the network. */
async function later(function_, ...args) {
  const err = [null];
  const given = new Given(args);
  try {
    settled(await promisify(function_.async)(...given.all, err), err);
  } finally {
    given.end();
  }
}

/** A handle that is freed once: by free(), at the latest by the garbage collector; never while a call uses it. */
const lost = new FinalizationRegistry(({ kind, handle }) => free[kind](handle));

class Owned {
  #kind;
  #handle;
  #calls = 0;
  #isFreed = false;

  constructor(kind, handle) {
    this.#kind = kind;
    this.#handle = handle;
    lost.register(this, { kind, handle }, this);
  }

  get handle() {
    if (this.#isFreed) {
      throw new Error(`the ${this.#kind} is freed`);
    }
    return this.#handle;
  }

  /** The handle, for a call that says by leave() that it has ended. */
  enter() {
    const handle = this.handle;
    this.#calls += 1;
    return handle;
  }

  leave() {
    this.#calls -= 1;
    this.#end();
  }

  /** No new call takes it; those that are under way end first. */
  free() {
    this.#isFreed = true;
    this.#end();
  }

  #end() {
    if (this.#isFreed && this.#calls === 0 && this.#handle !== null) {
      lost.unregister(this);
      free[this.#kind](this.#handle);
      this.#handle = null;
    }
  }
}

const decision = {
  isAllowed: c('bool zt_decision_is_allowed(const zt_decision *decision)'),
  kind: c('const char *zt_decision_kind(const zt_decision *decision)'),
  id: c('const char *zt_decision_id(const zt_decision *decision)'),
  policies: c('const char *zt_decision_policies(const zt_decision *decision)'),
};

export class Decision extends Owned {
  constructor(handle) {
    super('decision', handle);
  }
  get isAllowed() {
    return decision.isAllowed(this.handle);
  }
  get kind() {
    return decision.kind(this.handle);
  }
  get id() {
    return decision.id(this.handle);
  }
  get policies() {
    return JSON.parse(decision.policies(this.handle));
  }
}

const text = {
  data: c('const char *zt_text_data(const zt_text *text)'),
};

function textOf(function_, ...args) {
  const place = [null];
  call(function_, ...args, place);
  const all = text.data(place[0]);
  free.text(place[0]);
  return all;
}

const batch = {
  fromCsv: c('int zt_batch_from_csv(const uint8_t *csv, size_t length, _Out_ zt_batch **batch, _Out_ zt_error **err)'),
  toCsv: c('int zt_batch_to_csv(const zt_batch *batch, _Out_ zt_text **csv, _Out_ zt_error **err)'),
  seal: c('int zt_sealer_seal(const zt_sealer *sealer, const zt_batch *batch, _Out_ zt_batch **sealed, _Out_ zt_error **err)'),
  unseal: c('int zt_opener_unseal(const zt_opener *opener, const zt_batch *sealed, _Out_ zt_batch **plain, _Out_ zt_error **err)'),
};

export class Batch extends Owned {
  constructor(handle) {
    super('batch', handle);
  }
  static fromCsv(csv) {
    const bytes = Buffer.from(csv);
    const place = [null];
    call(batch.fromCsv, bytes, bytes.length, place);
    return new Batch(place[0]);
  }
  toCsv() {
    return textOf(batch.toCsv, this);
  }
}

class Sealer extends Owned {
  seal(rows) {
    const place = [null];
    call(batch.seal, this, rows, place);
    return new Batch(place[0]);
  }
}

class Opener extends Owned {
  unseal(rows) {
    const place = [null];
    call(batch.unseal, this, rows, place);
    return new Batch(place[0]);
  }
}

const session = {
  claiming: c('int zt_session_claiming(const zt_session *session, uint32_t job, uint32_t stage, _Out_ zt_session **claiming, _Out_ zt_error **err)'),
  check: c('int zt_check(const zt_session *session, const uint8_t *action, const uint8_t *resource, _Out_ zt_decision **decision, _Out_ zt_error **err)'),
  explain: c('int zt_explain(const zt_session *session, const zt_decision *decision, _Out_ zt_text **explanation, _Out_ zt_error **err)'),
  secretRead: c('int zt_secret_read(const zt_session *session, const uint8_t *reference, uint8_t *buffer, size_t capacity, _Out_ size_t *length, _Out_ zt_error **err)'),
  sealer: c('int zt_sealer_new(const zt_session *session, const uint8_t *output, _Out_ zt_sealer **sealer, _Out_ zt_error **err)'),
  opener: c('int zt_opener_new(const zt_session *session, const uint8_t *output, const zt_batch *sealed, _Out_ zt_opener **opener, _Out_ zt_error **err)'),
};

/** Key Vault's values have no more. */
const MOST_BYTES = 25600;

export class Session extends Owned {
  constructor(handle) {
    super('session', handle);
  }
  claiming(job, stage) {
    const place = [null];
    call(session.claiming, this, job, stage, place);
    return new Session(place[0]);
  }
  async check(action, resource) {
    const place = [null];
    await later(session.check, this, action, resource, place);
    return new Decision(place[0]);
  }
  async explain(what) {
    const place = [null];
    await later(session.explain, this, what, place);
    const all = JSON.parse(text.data(place[0]));
    free.text(place[0]);
    return all;
  }
  /** Gives the secret's bytes to `use` and wipes them when it is done. Make no string of them: nobody can wipe that. */
  async withSecret(reference, use) {
    const buffer = Buffer.allocUnsafeSlow(MOST_BYTES);
    const length = [0];
    try {
      await later(session.secretRead, this, reference, buffer, buffer.length, length);
      return await use(buffer.subarray(0, Number(length[0])));
    } finally {
      wipe(buffer, buffer.length);
    }
  }
  async sealer(output) {
    const place = [null];
    await later(session.sealer, this, output, place);
    return new Sealer('sealer', place[0]);
  }
  async opener(output, sealed) {
    const place = [null];
    await later(session.opener, this, output, sealed, place);
    return new Opener('opener', place[0]);
  }
}

const runtime = {
  open: c('int zt_open(const uint8_t *folder, _Out_ zt_runtime **runtime, _Out_ zt_error **err)'),
  authenticate: c('int zt_authenticate(const zt_runtime *runtime, const uint8_t *token, _Out_ zt_session **session, _Out_ zt_error **err)'),
  close: c('int zt_runtime_close(const zt_runtime *runtime, uint64_t timeout_ms, _Out_ zt_error **err)'),
};

export class Runtime extends Owned {
  static async open(folder) {
    const place = [null];
    await later(runtime.open, folder, place);
    return new Runtime('runtime', place[0]);
  }
  async authenticate(token) {
    const place = [null];
    await later(runtime.authenticate, this, token, place);
    return new Session(place[0]);
  }
  /** Writes and ends the audit log. What it rejects with must not be passed over. */
  async close(timeoutMs) {
    await later(runtime.close, this, timeoutMs);
    this.free();
  }
}

const verify = c('int zt_audit_verify(const uint8_t *folder, const uint8_t *key, _Out_ bool *is_intact, _Out_ zt_text **report, _Out_ zt_error **err)');

/** Whether every log of an audit folder is what was written, and the report. */
export async function auditVerify(folder) {
  const [isIntact, place] = [[false], [null]];
  await later(verify, folder, null, isIntact, place);
  const report = JSON.parse(text.data(place[0]));
  free.text(place[0]);
  return { isIntact: isIntact[0], report };
}
