// What the wrapper of examples/node refuses, and what it keeps alive. argv: the world's folder. Throws at what is wrong.
import assert from 'node:assert/strict';
import { Runtime, ZtError } from './zt.js';

const invalid = (why) => why instanceof ZtError && why.status === 5001 && why.code === 'ZT-5001';
const zt = await Runtime.open(process.argv[2]);
const caller = await zt.authenticate(process.env.ZT_TOKEN);
const job = caller.claiming(201, 2);

// C would read another question than was asked.
assert.equal((await job.check('model.infer', 'model:car_loan_scorer')).kind, 'allow');
await assert.rejects(job.check('model.infer', 'model:car_loan_scorer\0.evil'), invalid);
await assert.rejects(job.check('model.infer\0', 'model:car_loan_scorer'), invalid);
await assert.rejects(job.check('model.infer', 'model:\ud800'), invalid);
await assert.rejects(zt.authenticate(`${process.env.ZT_TOKEN}\0`), invalid);

// What is freed takes no new call, and ends those that are under way first.
const reads = Array.from({ length: 8 }, () => job.withSecret('bureau-api-key', (key) => key.length));
job.free();
job.free();
assert.deepEqual(new Set(await Promise.all(reads)), new Set([21]));
await assert.rejects(job.check('model.infer', 'model:car_loan_scorer'), /is freed/);

// The runtime too: each is answered, before the close or as closed.
const asked = Array.from({ length: 8 }, () => zt.authenticate(process.env.ZT_TOKEN));
const [closed, ...answers] = await Promise.allSettled([zt.close(5000), ...asked]);
assert.equal(closed.status, 'fulfilled');
assert.ok(answers.every((one) => one.status === 'fulfilled' || one.reason.status === 8002));
assert.throws(() => zt.handle, /is freed/);
console.log('refused');
