/**
 * Job 201 from Java: it asks, reads its secret, seals what it made, and what it may not do is explained.
 *
 * From Java 22 on by the foreign function API:
 *
 * <pre>
 *   javac -d out src/*.java ffm/*.java
 *   java --enable-native-access=ALL-UNNAMED -Dzt.library=/path/to/libzt.so.1 -cp out Job201 ../world
 * </pre>
 *
 * On Java 17 by JNA:
 *
 * <pre>
 *   mvn -q dependency:copy-dependencies -DoutputDirectory=lib
 *   javac -cp 'lib/*' -d out src/*.java jna/*.java
 *   java -Dzt.library=/path/to/libzt.so.1 -cp 'out:lib/*' Job201 ../world
 * </pre>
 *
 * Tokens, the secret and the key of the sample world are made as examples/README.md says.
 */
final class Job201 {
    private static final String SCORES =
            "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n70000,20K - 40K,0.703953,0.99,1\n";

    private Job201() {}

    public static void main(String[] arguments) {
        String folder = arguments.length > 0 ? arguments[0] : "examples/world";
        try {
            // The audit log is written before this ends, whatever happened: nothing did that it does not tell.
            try (var zt = Zt.Runtime.open(folder)) {
                run(zt);
            }
            boolean isIntact = Zt.isIntact(folder + "/.zt/audit");
            System.out.println("audit log: " + (isIntact ? "intact" : "damaged"));
            System.exit(isIntact ? 0 : 1);
        } catch (Zt.Failure failure) {
            System.err.println(failure.getMessage());
            System.exit(1);
        }
    }

    private static void run(Zt.Runtime zt) throws Zt.Failure {
        try (var caller = zt.authenticate(System.getenv("ZT_TOKEN"));
                var job = caller.claiming(201, 2);
                var risk = zt.authenticate(System.getenv("ZT_RISK"));
                var security = zt.authenticate(System.getenv("ZT_SECURITY"))) {
            try (var decision = job.check("model.infer", "model:car_loan_scorer")) {
                System.out.println("model.infer: " + decision.kind());
            }
            job.withSecret("bureau-api-key", key -> System.out.println("bureau-api-key: " + key.remaining() + " bytes"));
            try (var sealer = job.sealer("loan_scores_delta");
                    var batch = Zt.Batch.fromCsv(SCORES);
                    var sealed = sealer.seal(batch);
                    var opener = risk.opener("loan_scores_delta", sealed);
                    var plain = opener.unseal(sealed)) {
                if (sealed.toCsv().contains("20K") || !plain.toCsv().equals(SCORES)) {
                    throw new IllegalStateException("what was sealed is not what was opened");
                }
                System.out.println("sealed and opened: 1 row");
            }
            try {
                job.withSecret("sql-loans-password", password -> {});
                throw new IllegalStateException("the database's password was not refused");
            } catch (Zt.Failure refusal) {
                if (refusal.decision == null) {
                    throw refusal;
                }
                System.out.println("sql-loans-password: " + refusal.decision.kind());
                // Near misses are for the security team alone.
                System.out.println("explained: " + security.explain(refusal.decision));
            }
        }
    }
}
