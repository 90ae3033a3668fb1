import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Function;

/** zt for Java 17: handles that close, failures that are thrown, secrets that never become an array of the heap. */
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

        private Failure(int status, Pointer error) {
            super(Libzt.zt_error_code(error) + " " + Libzt.zt_error_message(error));
            this.status = status;
            httpStatus = Libzt.zt_error_http_status(error);
            publicMessage = Libzt.zt_error_public_message(error);
            Pointer found = Libzt.zt_error_decision(error);
            decision = found == null ? null : new Decision(found);
            Libzt.zt_error_free(error);
        }
    }

    private interface Call {
        int with(PointerByReference place, PointerByReference err);
    }

    private static Pointer made(Call call) throws Failure {
        var place = new PointerByReference();
        var err = new PointerByReference();
        int status = call.with(place, err);
        if (status != Libzt.OK) {
            throw new Failure(status, err.getValue());
        }
        return place.getValue();
    }

    private static String text(Pointer text) {
        try {
            return Libzt.zt_text_data(text);
        } finally {
            Libzt.zt_text_free(text);
        }
    }

    /** What a call is given, for as long as it takes. */
    private interface Use<T> {
        T of(Pointer given) throws Failure;
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
        try (var copy = new Memory(length + 1L)) {
            copy.setByte(length, (byte) 0);
            copy.write(0, encoded.array(), 0, length);
            try {
                if (text.indexOf('\0') >= 0) {
                    throw new Failure("a text holds a NUL");
                }
                return use.of(copy);
            } finally {
                Arrays.fill(encoded.array(), (byte) 0);
                Libzt.zt_wipe(copy, new Libzt.Size(length));
            }
        }
    }

    /** A native handle and the calls that use it. It is freed once, after close and after the last of them. */
    private static final class Held implements Runnable {
        private final Pointer handle;
        private final Consumer<Pointer> free;
        private int calls;
        private boolean isClosed;
        private boolean isFreed;

        private Held(Pointer handle, Consumer<Pointer> free) {
            this.handle = handle;
            this.free = free;
        }

        private synchronized Pointer enter() {
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

        private Handle(Pointer handle, Consumer<Pointer> free) {
            held = new Held(handle, free);
            cleaning = CLEANER.register(this, held);
        }

        final <T> T with(Use<T> use) throws Failure {
            Pointer handle = held.enter();
            try {
                return use.of(handle);
            } finally {
                held.leave();
                Reference.reachabilityFence(this);
            }
        }

        /** As `with`, for what never fails. */
        final <T> T get(Function<Pointer, T> use) {
            Pointer handle = held.enter();
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
        private Owned(Pointer handle, Consumer<Pointer> free) {
            super(handle, free);
        }

        @Override
        public void close() {
            free();
        }
    }

    static final class Decision extends Owned {
        private Decision(Pointer handle) {
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
        private Batch(Pointer handle) {
            super(handle, Libzt::zt_batch_free);
        }

        static Batch fromCsv(String csv) throws Failure {
            byte[] bytes = csv.getBytes(StandardCharsets.UTF_8);
            return new Batch(made((place, err) -> Libzt.zt_batch_from_csv(bytes, new Libzt.Size(bytes.length), place, err)));
        }

        String toCsv() throws Failure {
            return text(with(own -> made((place, err) -> Libzt.zt_batch_to_csv(own, place, err))));
        }
    }

    static final class Sealer extends Owned {
        private Sealer(Pointer handle) {
            super(handle, Libzt::zt_sealer_free);
        }

        Batch seal(Batch rows) throws Failure {
            return new Batch(with(own -> rows.with(plain -> made((place, err) -> Libzt.zt_sealer_seal(own, plain, place, err)))));
        }
    }

    static final class Opener extends Owned {
        private Opener(Pointer handle) {
            super(handle, Libzt::zt_opener_free);
        }

        Batch unseal(Batch sealed) throws Failure {
            return new Batch(with(own -> sealed.with(rows -> made((place, err) -> Libzt.zt_opener_unseal(own, rows, place, err)))));
        }
    }

    static final class Session extends Owned {
        private Session(Pointer handle) {
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
            try (var buffer = new Memory(MOST_BYTES); var length = new Memory(Long.BYTES)) {
                try {
                    length.clear();
                    var capacity = new Libzt.Size(MOST_BYTES);
                    with(own -> withText(reference, name ->
                            made((place, err) -> Libzt.zt_secret_read(own, name, buffer, capacity, length, err))));
                    use.accept(buffer.getByteBuffer(0, length.getNativeLong(0).longValue()).asReadOnlyBuffer());
                } finally {
                    Libzt.zt_wipe(buffer, new Libzt.Size(MOST_BYTES));
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
        private Runtime(Pointer handle) {
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
        try (var isIntact = new Memory(1)) {
            isIntact.clear();
            text(withText(folder, path -> made((place, err) -> Libzt.zt_audit_verify(path, null, isIntact, place, err))));
            return isIntact.getByte(0) != 0;
        }
    }
}
