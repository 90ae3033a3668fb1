import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** zt for Java 17: handles that close, failures that are thrown, secrets that never become an array of the heap. */
final class Zt {
    private static final Cleaner CLEANER = Cleaner.create();
    /** Key Vault's values have no more. */
    private static final int MOST_BYTES = 25_600;

    private Zt() {}

    /** Why zt refused or failed. The message is for the log of this process; a remote caller may see {@link #publicMessage}. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;
        final transient Decision decision;
        final int status;
        final int httpStatus;
        final String publicMessage;

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

    /** A handle that is freed once: by close, at the latest by the garbage collector. */
    abstract static class Owned implements AutoCloseable {
        private final AtomicReference<Pointer> handle;
        private final Cleaner.Cleanable cleaning;

        private Owned(Pointer handle, Consumer<Pointer> free) {
            var held = new AtomicReference<>(handle);
            this.handle = held;
            cleaning = CLEANER.register(this, () -> free.accept(held.getAndSet(null)));
        }

        final Pointer handle() {
            Pointer found = handle.get();
            if (found == null) {
                throw new IllegalStateException("it is closed");
            }
            return found;
        }

        @Override
        public void close() {
            cleaning.clean();
        }
    }

    static final class Decision extends Owned {
        private Decision(Pointer handle) {
            super(handle, Libzt::zt_decision_free);
        }

        boolean isAllowed() {
            return Libzt.zt_decision_is_allowed(handle()) != 0;
        }

        String kind() {
            return Libzt.zt_decision_kind(handle());
        }

        String id() {
            return Libzt.zt_decision_id(handle());
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
            return text(made((place, err) -> Libzt.zt_batch_to_csv(handle(), place, err)));
        }
    }

    static final class Sealer extends Owned {
        private Sealer(Pointer handle) {
            super(handle, Libzt::zt_sealer_free);
        }

        Batch seal(Batch rows) throws Failure {
            return new Batch(made((place, err) -> Libzt.zt_sealer_seal(handle(), rows.handle(), place, err)));
        }
    }

    static final class Opener extends Owned {
        private Opener(Pointer handle) {
            super(handle, Libzt::zt_opener_free);
        }

        Batch unseal(Batch sealed) throws Failure {
            return new Batch(made((place, err) -> Libzt.zt_opener_unseal(handle(), sealed.handle(), place, err)));
        }
    }

    static final class Session extends Owned {
        private Session(Pointer handle) {
            super(handle, Libzt::zt_session_free);
        }

        Session claiming(int job, int stage) throws Failure {
            return new Session(made((place, err) -> Libzt.zt_session_claiming(handle(), job, stage, place, err)));
        }

        Decision check(String action, String resource) throws Failure {
            return new Decision(made((place, err) -> Libzt.zt_check(handle(), action, resource, place, err)));
        }

        String explain(Decision decision) throws Failure {
            return text(made((place, err) -> Libzt.zt_explain(handle(), decision.handle(), place, err)));
        }

        /** Gives the secret's bytes, outside of the heap, to {@code use} and wipes them when it returns. */
        void withSecret(String reference, Consumer<ByteBuffer> use) throws Failure {
            try (var buffer = new Memory(MOST_BYTES); var length = new Memory(Long.BYTES)) {
                try {
                    length.clear();
                    var capacity = new Libzt.Size(MOST_BYTES);
                    made((place, err) -> Libzt.zt_secret_read(handle(), reference, buffer, capacity, length, err));
                    use.accept(buffer.getByteBuffer(0, length.getNativeLong(0).longValue()).asReadOnlyBuffer());
                } finally {
                    Libzt.zt_wipe(buffer, new Libzt.Size(MOST_BYTES));
                }
            }
        }

        Sealer sealer(String output) throws Failure {
            return new Sealer(made((place, err) -> Libzt.zt_sealer_new(handle(), output, place, err)));
        }

        Opener opener(String output, Batch sealed) throws Failure {
            return new Opener(made((place, err) -> Libzt.zt_opener_new(handle(), output, sealed.handle(), place, err)));
        }
    }

    static final class Runtime extends Owned {
        private Runtime(Pointer handle) {
            super(handle, Libzt::zt_runtime_free);
        }

        static Runtime open(String folder) throws Failure {
            return new Runtime(made((place, err) -> Libzt.zt_open(folder, place, err)));
        }

        Session authenticate(String token) throws Failure {
            return new Session(made((place, err) -> Libzt.zt_authenticate(handle(), token, place, err)));
        }

        /** Writes and ends the audit log: what it throws must not be passed over. */
        void end(long timeoutMs) throws Failure {
            made((place, err) -> Libzt.zt_runtime_close(handle(), timeoutMs, err));
        }
    }

    /** Whether every log of an audit folder is what was written. */
    static boolean isIntact(String folder) throws Failure {
        try (var isIntact = new Memory(1)) {
            isIntact.clear();
            text(made((place, err) -> Libzt.zt_audit_verify(folder, null, isIntact, place, err)));
            return isIntact.getByte(0) != 0;
        }
    }
}
