import java.io.FileOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/** What the wrapper of examples/java refuses, and what it keeps alive. Its argument is the world's folder. */
final class Misuse {
    private static final String MODEL = "model:car_loan_scorer";
    /** ZT-8002. */
    private static final int CLOSED = 8002;

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
        }
        closedMeanwhile(arguments[0], token);
        System.out.println("refused");
    }

    /** A call that is under way when its session and the runtime are closed ends by saying so, and gives nothing out. */
    private static void closedMeanwhile(String folder, String token) throws Exception {
        var vault = Path.of(folder, ".zt", "vault");
        byte[] kept = Files.readAllBytes(vault);
        var thread = Executors.newSingleThreadExecutor();
        var zt = Zt.Runtime.open(folder);
        Zt.Session job;
        try (var caller = zt.authenticate(token)) {
            job = caller.claiming(201, 2);
        }
        // Whoever reads a pipe waits for who writes it.
        Files.delete(vault);
        check(new ProcessBuilder("mkfifo", vault.toString()).start().waitFor() == 0, "mkfifo");
        var answer = thread.submit(() -> {
            try {
                job.withSecret("bureau-api-key", secret -> {});
                return 0;
            } catch (Zt.Failure failure) {
                return failure.status;
            }
        });
        // It opens once the call has opened the other end: the call is inside.
        try (var pipe = new FileOutputStream(vault.toFile())) {
            zt.close();
            job.close();
            check(!answer.isDone(), "the call was over before the runtime was closed");
            pipe.write(kept);
        }
        check(answer.get() == CLOSED, "a call that was under way answered " + answer.get());
        thread.shutdown();
        Files.delete(vault);
        Files.write(vault, kept);
        closed(() -> job.check("model.infer", MODEL), "a session");
        closed(() -> zt.authenticate(token), "a runtime");
    }

    private static void closed(Callable<? extends AutoCloseable> call, String what) throws Exception {
        try (var made = call.call()) {
            throw new AssertionError(what + " that is closed gave " + made);
        } catch (IllegalStateException closed) {
            check("it is closed".equals(closed.getMessage()), closed.getMessage());
        }
    }
}
