// Job 201 from Node.js: it asks, reads its secret, seals what it made, and what it may not do is explained.
//
//   npm install && ZT_LIBRARY=/path/to/libzt.so.1 npm start -- ../world
//
// Tokens, the secret and the key of the sample world are made as examples/README.md says.
import { Batch, Runtime, ZtError, auditVerify } from './zt.js';

const SCORES = 'id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n70000,20K - 40K,0.703953,0.99,1\n';

async function run(zt) {
  const job = (await zt.authenticate(process.env.ZT_TOKEN)).claiming(201, 2);
  const risk = await zt.authenticate(process.env.ZT_RISK);
  const security = await zt.authenticate(process.env.ZT_SECURITY);

  console.log(`model.infer: ${(await job.check('model.infer', 'model:car_loan_scorer')).kind}`);
  await job.withSecret('bureau-api-key', (key) => console.log(`bureau-api-key: ${key.length} bytes`));

  const sealed = (await job.sealer('loan_scores_delta')).seal(Batch.fromCsv(SCORES));
  const plain = (await risk.opener('loan_scores_delta', sealed)).unseal(sealed);
  if (sealed.toCsv().includes('20K') || plain.toCsv() !== SCORES) {
    throw new Error('what was sealed is not what was opened');
  }
  console.log('sealed and opened: 1 row');

  try {
    await job.withSecret('sql-loans-password', () => {});
    throw new Error("the database's password was not refused");
  } catch (refusal) {
    if (!(refusal instanceof ZtError) || refusal.decision === null) {
      throw refusal;
    }
    console.log(`sql-loans-password: ${refusal.decision.kind}`);
    // Near misses are for the security team alone.
    console.log(`explained: ${JSON.stringify(await security.explain(refusal.decision))}`);
  }
}

const folder = process.argv[2] ?? 'examples/world';
try {
  const zt = await Runtime.open(folder);
  const troubles = [];
  await run(zt).catch((why) => troubles.push(why));
  // The audit log is written before this resolves: nothing happened here that it does not tell.
  await zt.close(5000).catch((why) => troubles.push(why));
  if (troubles.length > 0) {
    throw troubles.length === 1 ? troubles[0] : new AggregateError(troubles, 'the job failed, and so did the audit log');
  }
  const { isIntact } = await auditVerify(`${folder}/.zt/audit`);
  console.log(`audit log: ${isIntact ? 'intact' : 'damaged'}`);
  process.exitCode = isIntact ? 0 : 1;
} catch (why) {
  console.error(why instanceof ZtError ? `${why.code} ${why.message}` : why);
  process.exitCode = 1;
}
