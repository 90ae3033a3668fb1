import com.sun.jna.IntegerType;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.Map;

/**
 * The functions of zt.h as they are, by JNA's direct mapping, which costs a third of its interfaces. A C bool is one byte. Texts
 * are UTF-8.
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

    /** As wide as a pointer. */
    public static final class Size extends IntegerType {
        private static final long serialVersionUID = 1L;

        public Size() {
            this(0);
        }

        Size(long value) {
            super(Native.SIZE_T_SIZE, value, true);
        }
    }

    static native int zt_abi_version();

    static native int zt_open(Pointer folder, PointerByReference runtime, PointerByReference err);
    static native int zt_runtime_close(Pointer runtime, long timeoutMs, PointerByReference err);
    static native void zt_runtime_free(Pointer runtime);

    static native int zt_authenticate(Pointer runtime, Pointer token, PointerByReference session, PointerByReference err);
    static native int zt_session_claiming(Pointer session, int job, int stage, PointerByReference claiming, PointerByReference err);
    static native void zt_session_free(Pointer session);

    static native int zt_check(Pointer session, Pointer action, Pointer resource, PointerByReference decision, PointerByReference err);
    static native byte zt_decision_is_allowed(Pointer decision);
    static native String zt_decision_kind(Pointer decision);
    static native String zt_decision_id(Pointer decision);
    static native void zt_decision_free(Pointer decision);
    static native int zt_explain(Pointer session, Pointer decision, PointerByReference explanation, PointerByReference err);

    static native int zt_secret_read(Pointer session, Pointer reference, Pointer buffer, Size capacity, Pointer length, PointerByReference err);
    static native void zt_wipe(Pointer bytes, Size length);

    static native int zt_batch_from_csv(byte[] csv, Size length, PointerByReference batch, PointerByReference err);
    static native int zt_batch_to_csv(Pointer batch, PointerByReference csv, PointerByReference err);
    static native void zt_batch_free(Pointer batch);
    static native int zt_sealer_new(Pointer session, Pointer output, PointerByReference sealer, PointerByReference err);
    static native int zt_sealer_seal(Pointer sealer, Pointer batch, PointerByReference sealed, PointerByReference err);
    static native void zt_sealer_free(Pointer sealer);
    static native int zt_opener_new(Pointer session, Pointer output, Pointer sealed, PointerByReference opener, PointerByReference err);
    static native int zt_opener_unseal(Pointer opener, Pointer sealed, PointerByReference plain, PointerByReference err);
    static native void zt_opener_free(Pointer opener);

    static native int zt_audit_verify(Pointer folder, Pointer key, Pointer isIntact, PointerByReference report, PointerByReference err);

    static native String zt_text_data(Pointer text);
    static native void zt_text_free(Pointer text);

    static native String zt_error_code(Pointer error);
    static native String zt_error_message(Pointer error);
    static native String zt_error_public_message(Pointer error);
    static native int zt_error_http_status(Pointer error);
    static native Pointer zt_error_decision(Pointer error);
    static native void zt_error_free(Pointer error);
}
