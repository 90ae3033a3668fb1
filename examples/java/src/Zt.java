import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;

/** zt for Java, over either Libzt: handles that close, failures that are thrown, secrets that never become an array of the heap. */
final class Zt {
    private static final Cleaner CLEANER = Cleaner.create();
    /** Key Vault's values have no more. */
    private static final int MOST_BYTES = 25_600;
    /** So long the disk may take for the end of the audit log. */
    private static final long CLOSE_MS = 5_000;

    private Zt() {}

    /** Why zt refused or failed. The message is for the log of this process; a remote caller may see {@link #publicMessage}. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;
        final transient Decision decision;
        final int status;
        final int httpStatus;
        final String publicMessage;

        private Failure(String message) {
            super("ZT-5001 " + message);
            status = 5001;
            httpStatus = 400;
            publicMessage = "invalid request";
            decision = null;
        }

        private Failure(int status, long error) {
            super(Libzt.zt_error_code(error) + " " + Libzt.zt_error_message(error));
            this.status = status;
            httpStatus = Libzt.zt_error_http_status(error);
            publicMessage = Libzt.zt_error_public_message(error);
            long found = Libzt.zt_error_decision(error);
            decision = found == 0 ? null : new Decision(found);
            Libzt.zt_error_free(error);
        }
    }

    private interface Call {
        int with(long place, long err);
    }

    /** What a call of C wrote to its place for the result. */
    private static long made(Call call) throws Failure {
        try (var places = new Libzt.Block(2 * Long.BYTES)) {
            int status = call.with(places.address(), places.address() + Long.BYTES);
            if (status != Libzt.OK) {
                throw new Failure(status, places.bytes().getLong(Long.BYTES));
            }
            return places.bytes().getLong(0);
        }
    }

    private static String text(long text) {
        try {
            return Libzt.zt_text_data(text);
        } finally {
            Libzt.zt_text_free(text);
        }
    }

    /** What a call is given, for as long as it takes. */
    private interface Use<T> {
        T of(long given) throws Failure;
    }

    /**
     * Gives a text to C for one call, and wipes it: it may be a token. C would read one that holds a NUL cut short, and ask
     * another question than the program. The String of the program stays on the heap until the collector takes it.
     */
    private static <T> T withText(String text, Use<T> use) throws Failure {
        ByteBuffer encoded;
        try {
            encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        } catch (CharacterCodingException half) {
            throw new Failure("a text holds half of a character");
        }
        int length = encoded.remaining();
        try (var copy = new Libzt.Block(length + 1L)) {
            copy.bytes().put(encoded.array(), 0, length);
            try {
                if (text.indexOf('\0') >= 0) {
                    throw new Failure("a text holds a NUL");
                }
                return use.of(copy.address());
            } finally {
                Arrays.fill(encoded.array(), (byte) 0);
                Libzt.zt_wipe(copy.address(), length);
            }
        }
    }

    /** A native handle and the calls that use it. It is freed once, after close and after the last of them. */
    private static final class Held implements Runnable {
        private final long handle;
        private final LongConsumer free;
        private int calls;
        private boolean isClosed;
        private boolean isFreed;

        private Held(long handle, LongConsumer free) {
            this.handle = handle;
            this.free = free;
        }

        private synchronized long enter() {
            if (isClosed) {
                throw new IllegalStateException("it is closed");
            }
            calls++;
            return handle;
        }

        private void leave() {
            end(false);
        }

        /** No new call takes it. */
        @Override
        public void run() {
            end(true);
        }

        private void end(boolean isClose) {
            synchronized (this) {
                isClosed |= isClose;
                calls -= isClose ? 0 : 1;
                if (!isClosed || calls > 0 || isFreed) {
                    return;
                }
                isFreed = true;
            }
            free.accept(handle);
        }
    }

    /** A handle that is freed once: by close, at the latest by the garbage collector; never while a call uses it. */
    private abstract static class Handle {
        private final Held held;
        private final Cleaner.Cleanable cleaning;

        private Handle(long handle, LongConsumer free) {
            held = new Held(handle, free);
            cleaning = CLEANER.register(this, held);
        }

        final <T> T with(Use<T> use) throws Failure {
            long handle = held.enter();
            try {
                return use.of(handle);
            } finally {
                held.leave();
                Reference.reachabilityFence(this);
            }
        }

        /** As `with`, for what never fails. */
        final <T> T get(LongFunction<T> use) {
            long handle = held.enter();
            try {
                return use.apply(handle);
            } finally {
                held.leave();
                Reference.reachabilityFence(this);
            }
        }

        final void free() {
            cleaning.clean();
        }
    }

    abstract static class Owned extends Handle implements AutoCloseable {
        private Owned(long handle, LongConsumer free) {
            super(handle, free);
        }

        @Override
        public void close() {
            free();
        }
    }

    static final class Decision extends Owned {
        private Decision(long handle) {
            super(handle, Libzt::zt_decision_free);
        }

        boolean isAllowed() {
            return get(Libzt::zt_decision_is_allowed) != 0;
        }

        String kind() {
            return get(Libzt::zt_decision_kind);
        }

        String id() {
            return get(Libzt::zt_decision_id);
        }
    }

    static final class Batch extends Owned {
        private Batch(long handle) {
            super(handle, Libzt::zt_batch_free);
        }

        static Batch fromCsv(String csv) throws Failure {
            byte[] bytes = csv.getBytes(StandardCharsets.UTF_8);
            try (var copy = new Libzt.Block(bytes.length + 1L)) {
                copy.bytes().put(bytes);
                return new Batch(made((place, err) -> Libzt.zt_batch_from_csv(copy.address(), bytes.length, place, err)));
            }
        }

        String toCsv() throws Failure {
            return text(with(own -> made((place, err) -> Libzt.zt_batch_to_csv(own, place, err))));
        }
    }

    static final class Sealer extends Owned {
        private Sealer(long handle) {
            super(handle, Libzt::zt_sealer_free);
        }

        Batch seal(Batch rows) throws Failure {
            return new Batch(with(own -> rows.with(plain -> made((place, err) -> Libzt.zt_sealer_seal(own, plain, place, err)))));
        }
    }

    static final class Opener extends Owned {
        private Opener(long handle) {
            super(handle, Libzt::zt_opener_free);
        }

        Batch unseal(Batch sealed) throws Failure {
            return new Batch(with(own -> sealed.with(rows -> made((place, err) -> Libzt.zt_opener_unseal(own, rows, place, err)))));
        }
    }

    static final class Session extends Owned {
        private Session(long handle) {
            super(handle, Libzt::zt_session_free);
        }

        Session claiming(int job, int stage) throws Failure {
            return new Session(with(own -> made((place, err) -> Libzt.zt_session_claiming(own, job, stage, place, err))));
        }

        Decision check(String action, String resource) throws Failure {
            return new Decision(with(own -> withText(action, verb -> withText(resource, what ->
                    made((place, err) -> Libzt.zt_check(own, verb, what, place, err))))));
        }

        String explain(Decision decision) throws Failure {
            return text(with(own -> decision.with(what -> made((place, err) -> Libzt.zt_explain(own, what, place, err)))));
        }

        /** Gives the secret's bytes, outside of the heap, to {@code use} and wipes them when it returns. */
        void withSecret(String reference, Consumer<ByteBuffer> use) throws Failure {
            try (var buffer = new Libzt.Block(MOST_BYTES)) {
                try {
                    // C writes its length where others have their result.
                    long length = with(own -> withText(reference, name -> made((place, err) ->
                            Libzt.zt_secret_read(own, name, buffer.address(), MOST_BYTES, place, err))));
                    use.accept(buffer.bytes().limit((int) length).asReadOnlyBuffer());
                } finally {
                    Libzt.zt_wipe(buffer.address(), MOST_BYTES);
                }
            }
        }

        Sealer sealer(String output) throws Failure {
            return new Sealer(with(own -> withText(output, name ->
                    made((place, err) -> Libzt.zt_sealer_new(own, name, place, err)))));
        }

        Opener opener(String output, Batch sealed) throws Failure {
            return new Opener(with(own -> sealed.with(rows -> withText(output, name ->
                    made((place, err) -> Libzt.zt_opener_new(own, name, rows, place, err))))));
        }
    }

    /** Close it: the collector frees what was forgotten, and cannot say that the audit log was not written. */
    static final class Runtime extends Handle implements AutoCloseable {
        private Runtime(long handle) {
            super(handle, Libzt::zt_runtime_free);
        }

        static Runtime open(String folder) throws Failure {
            return new Runtime(withText(folder, path -> made((place, err) -> Libzt.zt_open(path, place, err))));
        }

        Session authenticate(String token) throws Failure {
            return new Session(with(own -> withText(token, bearer ->
                    made((place, err) -> Libzt.zt_authenticate(own, bearer, place, err)))));
        }

        /** Writes and ends the audit log, and frees the runtime: what it throws must not be passed over. */
        @Override
        public void close() throws Failure {
            try {
                with(own -> made((place, err) -> Libzt.zt_runtime_close(own, CLOSE_MS, err)));
            } finally {
                free();
            }
        }
    }

    /** Whether every log of an audit folder is what was written. */
    static boolean isIntact(String folder) throws Failure {
        try (var isIntact = new Libzt.Block(1)) {
            text(withText(folder, path -> made((place, err) ->
                    Libzt.zt_audit_verify(path, 0, isIntact.address(), place, err))));
            return isIntact.bytes().get(0) != 0;
        }
    }
}
