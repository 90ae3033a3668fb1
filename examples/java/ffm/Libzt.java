import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The functions of zt.h as they are, by the foreign function API: for Java 22 and later, without a library beside zt. A handle is
 * its address, on machines of 64 bits. A C bool is one byte. Texts are UTF-8.
 */
@SuppressWarnings("restricted")
final class Libzt {
    static final int OK = 0;
    static final int ABI = 1;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup ZT =
            SymbolLookup.libraryLookup(System.getProperty("zt.library", System.mapLibraryName("zt")), Arena.global());

    private static final MethodHandle ABI_VERSION = function("zt_abi_version", FunctionDescriptor.of(INT));
    private static final MethodHandle OPEN = function("zt_open", FunctionDescriptor.of(INT, LONG, LONG, LONG));
    private static final MethodHandle RUNTIME_CLOSE = function("zt_runtime_close", FunctionDescriptor.of(INT, LONG, LONG, LONG));
    private static final MethodHandle RUNTIME_FREE = function("zt_runtime_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle AUTHENTICATE = function("zt_authenticate", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG));
    private static final MethodHandle SESSION_CLAIMING = function("zt_session_claiming", FunctionDescriptor.of(INT, LONG, INT, INT, LONG, LONG));
    private static final MethodHandle SESSION_FREE = function("zt_session_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle CHECK = function("zt_check", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG, LONG));
    private static final MethodHandle DECISION_IS_ALLOWED = function("zt_decision_is_allowed", FunctionDescriptor.of(BYTE, LONG));
    private static final MethodHandle DECISION_KIND = function("zt_decision_kind", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle DECISION_ID = function("zt_decision_id", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle DECISION_FREE = function("zt_decision_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle EXPLAIN = function("zt_explain", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG));
    private static final MethodHandle SECRET_READ = function("zt_secret_read", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG, LONG, LONG));
    private static final MethodHandle WIPE = function("zt_wipe", FunctionDescriptor.ofVoid(LONG, LONG));
    private static final MethodHandle BATCH_FROM_CSV = function("zt_batch_from_csv", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG));
    private static final MethodHandle BATCH_TO_CSV = function("zt_batch_to_csv", FunctionDescriptor.of(INT, LONG, LONG, LONG));
    private static final MethodHandle BATCH_FREE = function("zt_batch_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle SEALER_NEW = function("zt_sealer_new", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG));
    private static final MethodHandle SEALER_SEAL = function("zt_sealer_seal", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG));
    private static final MethodHandle SEALER_FREE = function("zt_sealer_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle OPENER_NEW = function("zt_opener_new", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG, LONG));
    private static final MethodHandle OPENER_UNSEAL = function("zt_opener_unseal", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG));
    private static final MethodHandle OPENER_FREE = function("zt_opener_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle AUDIT_VERIFY = function("zt_audit_verify", FunctionDescriptor.of(INT, LONG, LONG, LONG, LONG, LONG));
    private static final MethodHandle TEXT_DATA = function("zt_text_data", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle TEXT_FREE = function("zt_text_free", FunctionDescriptor.ofVoid(LONG));
    private static final MethodHandle ERROR_CODE = function("zt_error_code", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle ERROR_MESSAGE = function("zt_error_message", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle ERROR_PUBLIC_MESSAGE = function("zt_error_public_message", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle ERROR_HTTP_STATUS = function("zt_error_http_status", FunctionDescriptor.of(INT, LONG));
    private static final MethodHandle ERROR_DECISION = function("zt_error_decision", FunctionDescriptor.of(LONG, LONG));
    private static final MethodHandle ERROR_FREE = function("zt_error_free", FunctionDescriptor.ofVoid(LONG));

    static {
        // Within one ABI version functions are only added.
        if (zt_abi_version() != ABI) {
            throw new LinkageError("libzt has ABI version " + zt_abi_version() + ", this class was made for " + ABI);
        }
    }

    private Libzt() {}

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        MemorySegment address = ZT.find(name).orElseThrow(() -> new UnsatisfiedLinkError(name));
        return LINKER.downcallHandle(address, descriptor);
    }

    /** A call of C throws nothing: what comes is an error of this program. */
    private static Error never(Throwable thrown) {
        return thrown instanceof Error error ? error : new AssertionError(thrown);
    }

    private static String text(long address) {
        if (address == 0) {
            return null;
        }
        return MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** Memory outside of the heap, full of zeros, until it is closed. */
    static final class Block implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment memory;

        Block(long length) {
            memory = arena.allocate(length, Long.BYTES);
        }

        long address() {
            return memory.address();
        }

        ByteBuffer bytes() {
            return memory.asByteBuffer().order(ByteOrder.nativeOrder());
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    static int zt_abi_version() {
        try {
            return (int) ABI_VERSION.invokeExact();
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_open(long folder, long runtime, long err) {
        try {
            return (int) OPEN.invokeExact(folder, runtime, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_runtime_close(long runtime, long timeoutMs, long err) {
        try {
            return (int) RUNTIME_CLOSE.invokeExact(runtime, timeoutMs, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_runtime_free(long runtime) {
        try {
            RUNTIME_FREE.invokeExact(runtime);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_authenticate(long runtime, long token, long session, long err) {
        try {
            return (int) AUTHENTICATE.invokeExact(runtime, token, session, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_session_claiming(long session, int job, int stage, long claiming, long err) {
        try {
            return (int) SESSION_CLAIMING.invokeExact(session, job, stage, claiming, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_session_free(long session) {
        try {
            SESSION_FREE.invokeExact(session);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_check(long session, long action, long resource, long decision, long err) {
        try {
            return (int) CHECK.invokeExact(session, action, resource, decision, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static byte zt_decision_is_allowed(long decision) {
        try {
            return (byte) DECISION_IS_ALLOWED.invokeExact(decision);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static String zt_decision_kind(long decision) {
        try {
            return text((long) DECISION_KIND.invokeExact(decision));
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static String zt_decision_id(long decision) {
        try {
            return text((long) DECISION_ID.invokeExact(decision));
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_decision_free(long decision) {
        try {
            DECISION_FREE.invokeExact(decision);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_explain(long session, long decision, long explanation, long err) {
        try {
            return (int) EXPLAIN.invokeExact(session, decision, explanation, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_secret_read(long session, long reference, long buffer, long capacity, long length, long err) {
        try {
            return (int) SECRET_READ.invokeExact(session, reference, buffer, capacity, length, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_wipe(long bytes, long length) {
        try {
            WIPE.invokeExact(bytes, length);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_batch_from_csv(long csv, long length, long batch, long err) {
        try {
            return (int) BATCH_FROM_CSV.invokeExact(csv, length, batch, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_batch_to_csv(long batch, long csv, long err) {
        try {
            return (int) BATCH_TO_CSV.invokeExact(batch, csv, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_batch_free(long batch) {
        try {
            BATCH_FREE.invokeExact(batch);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_sealer_new(long session, long output, long sealer, long err) {
        try {
            return (int) SEALER_NEW.invokeExact(session, output, sealer, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_sealer_seal(long sealer, long batch, long sealed, long err) {
        try {
            return (int) SEALER_SEAL.invokeExact(sealer, batch, sealed, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_sealer_free(long sealer) {
        try {
            SEALER_FREE.invokeExact(sealer);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_opener_new(long session, long output, long sealed, long opener, long err) {
        try {
            return (int) OPENER_NEW.invokeExact(session, output, sealed, opener, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_opener_unseal(long opener, long sealed, long plain, long err) {
        try {
            return (int) OPENER_UNSEAL.invokeExact(opener, sealed, plain, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_opener_free(long opener) {
        try {
            OPENER_FREE.invokeExact(opener);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_audit_verify(long folder, long key, long isIntact, long report, long err) {
        try {
            return (int) AUDIT_VERIFY.invokeExact(folder, key, isIntact, report, err);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static String zt_text_data(long text) {
        try {
            return text((long) TEXT_DATA.invokeExact(text));
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_text_free(long text) {
        try {
            TEXT_FREE.invokeExact(text);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static String zt_error_code(long error) {
        try {
            return text((long) ERROR_CODE.invokeExact(error));
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static String zt_error_message(long error) {
        try {
            return text((long) ERROR_MESSAGE.invokeExact(error));
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static String zt_error_public_message(long error) {
        try {
            return text((long) ERROR_PUBLIC_MESSAGE.invokeExact(error));
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static int zt_error_http_status(long error) {
        try {
            return (int) ERROR_HTTP_STATUS.invokeExact(error);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static long zt_error_decision(long error) {
        try {
            return (long) ERROR_DECISION.invokeExact(error);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }

    static void zt_error_free(long error) {
        try {
            ERROR_FREE.invokeExact(error);
        } catch (Throwable thrown) {
            throw never(thrown);
        }
    }
}
