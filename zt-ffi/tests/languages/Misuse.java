import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What the wrapper of examples/java refuses, and what it keeps alive. Its argument is the world's folder. */
final class Misuse {
    private static final String MODEL = "model:car_loan_scorer";

    private Misuse() {}

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void refuses(Callable<?> call, String what) throws Exception {
        try {
            call.call();
        } catch (Zt.Failure failure) {
            check(failure.status == 5001 && failure.getMessage().startsWith("ZT-5001"), what + ": " + failure.getMessage());
            return;
        }
        throw new AssertionError(what + " was taken");
    }

    public static void main(String[] arguments) throws Exception {
        String token = System.getenv("ZT_TOKEN");
        try (var zt = Zt.Runtime.open(arguments[0]); var caller = zt.authenticate(token)) {
            // C would read another question than was asked.
            try (var job = caller.claiming(201, 2); var allowed = job.check("model.infer", MODEL)) {
                check(allowed.isAllowed(), "the question itself");
                refuses(() -> job.check("model.infer", MODEL + "\0.evil"), "a resource with a NUL");
                refuses(() -> job.check("model.infer\0", MODEL), "an action with a NUL");
                refuses(() -> job.check("model.infer", "model:\ud800"), "half of a character");
                refuses(() -> zt.authenticate(token + "\0"), "a token with a NUL");
            }
            for (int round = 0; round < 50; round++) {
                closedMeanwhile(caller.claiming(201, 2));
            }
        }
        System.out.println("refused");
    }

    /** What is closed takes no new call, and ends those that are under way first. */
    private static void closedMeanwhile(Zt.Session job) throws Exception {
        var threads = Executors.newFixedThreadPool(2);
        var answers = new ArrayList<Future<Boolean>>();
        for (int call = 0; call < 4; call++) {
            answers.add(threads.submit(() -> {
                try (var decision = job.check("model.infer", MODEL)) {
                    return decision.isAllowed();
                } catch (IllegalStateException closed) {
                    return true;
                }
            }));
        }
        job.close();
        job.close();
        for (var answer : answers) {
            check(answer.get(), "a call that was under way");
        }
        threads.shutdown();
        try (var decision = job.check("model.infer", MODEL)) {
            throw new AssertionError("a closed session decided " + decision.kind());
        } catch (IllegalStateException closed) {
            return;
        }
    }
}
