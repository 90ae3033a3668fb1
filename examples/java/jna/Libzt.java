import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * The functions of zt.h as they are, by JNA's direct mapping, which costs a third of its interfaces: for Java 17. A handle is its
 * address, on machines of 64 bits. A C bool is one byte. Texts are UTF-8.
 */
final class Libzt {
    static final int OK = 0;
    static final int ABI = 1;

    static {
        // Within one ABI version functions are only added.
        String name = System.getProperty("zt.library", "zt");
        Native.register(Libzt.class, NativeLibrary.getInstance(name, Map.of(Library.OPTION_STRING_ENCODING, "UTF-8")));
        if (zt_abi_version() != ABI) {
            throw new LinkageError("libzt has ABI version " + zt_abi_version() + ", this class was made for " + ABI);
        }
    }

    private Libzt() {}

    /** Memory outside of the heap, full of zeros, until it is closed. */
    static final class Block implements AutoCloseable {
        private final Memory memory;

        Block(long length) {
            memory = new Memory(length);
            memory.clear();
        }

        long address() {
            return Pointer.nativeValue(memory);
        }

        ByteBuffer bytes() {
            return memory.getByteBuffer(0, memory.size()).order(ByteOrder.nativeOrder());
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    static native int zt_abi_version();

    static native int zt_open(long folder, long runtime, long err);
    static native int zt_runtime_close(long runtime, long timeoutMs, long err);
    static native void zt_runtime_free(long runtime);

    static native int zt_authenticate(long runtime, long token, long session, long err);
    static native int zt_session_claiming(long session, int job, int stage, long claiming, long err);
    static native void zt_session_free(long session);

    static native int zt_check(long session, long action, long resource, long decision, long err);
    static native byte zt_decision_is_allowed(long decision);
    static native String zt_decision_kind(long decision);
    static native String zt_decision_id(long decision);
    static native void zt_decision_free(long decision);
    static native int zt_explain(long session, long decision, long explanation, long err);

    static native int zt_secret_read(long session, long reference, long buffer, long capacity, long length, long err);
    static native void zt_wipe(long bytes, long length);

    static native int zt_batch_from_csv(long csv, long length, long batch, long err);
    static native int zt_batch_to_csv(long batch, long csv, long err);
    static native void zt_batch_free(long batch);
    static native int zt_sealer_new(long session, long output, long sealer, long err);
    static native int zt_sealer_seal(long sealer, long batch, long sealed, long err);
    static native void zt_sealer_free(long sealer);
    static native int zt_opener_new(long session, long output, long sealed, long opener, long err);
    static native int zt_opener_unseal(long opener, long sealed, long plain, long err);
    static native void zt_opener_free(long opener);

    static native int zt_audit_verify(long folder, long key, long isIntact, long report, long err);

    static native String zt_text_data(long text);
    static native void zt_text_free(long text);

    static native String zt_error_code(long error);
    static native String zt_error_message(long error);
    static native String zt_error_public_message(long error);
    static native int zt_error_http_status(long error);
    static native long zt_error_decision(long error);
    static native void zt_error_free(long error);
}
