import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.BooleanSupplier;

/** What calls cost from Java, by JNA's direct mapping, with texts that lie outside of the heap. As calls.c. */
final class Calls {
    private static final int MANY = 100;

    static {
        Native.register(Calls.class, NativeLibrary.getInstance(System.getProperty("zt.library", "zt")));
    }

    private Calls() {}

    static native int zt_open(Pointer folder, PointerByReference runtime, Pointer err);
    static native int zt_runtime_close(Pointer runtime, long timeoutMs, Pointer err);
    static native void zt_runtime_free(Pointer runtime);
    static native int zt_authenticate(Pointer runtime, Pointer token, PointerByReference session, Pointer err);
    static native int zt_session_claiming(Pointer session, int job, int stage, PointerByReference claiming, Pointer err);
    static native void zt_session_free(Pointer session);
    static native int zt_session_locate(Pointer session, Pointer resource, PointerByReference located, Pointer err);
    static native void zt_located_free(Pointer located);
    static native int zt_session_secret_handle(Pointer session, Pointer reference, PointerByReference handle, Pointer err);
    static native void zt_secret_handle_free(Pointer handle);
    static native int zt_check_at(Pointer session, Pointer action, Pointer located, Pointer isAllowed, Pointer decision, Pointer err);
    static native int zt_check(Pointer session, Pointer action, Pointer resource, Pointer decision, Pointer err);
    static native byte zt_decision_is_allowed(Pointer decision);
    static native void zt_decision_free(Pointer decision);
    static native int zt_secret_handle_read(Pointer handle, Pointer buffer, long capacity, Pointer length, Pointer err);
    static native int zt_check_many(Pointer session, Pointer action, Pointer resources, long count, Pointer allowed, Pointer decisions, Pointer err);

    /** Lives as long as the process. */
    private static Pointer text(String text) {
        var copy = new Memory(text.length() * 4L + 1);
        copy.setString(0, text, "UTF-8");
        return copy;
    }

    private static void must(int status) {
        if (status != 0) {
            throw new IllegalStateException("zt answers " + status);
        }
    }

    public static void main(String[] args) throws IOException {
        var place = new PointerByReference();
        must(zt_open(text(args[0]), place, null));
        Pointer zt = place.getValue();
        must(zt_authenticate(zt, text(System.getenv("ZT_TOKEN")), place, null));
        Pointer caller = place.getValue();
        must(zt_session_claiming(caller, 201, 2, place, null));
        Pointer job = place.getValue();
        must(zt_session_locate(job, text("secret:bureau-api-key"), place, null));
        Pointer resource = place.getValue();
        must(zt_session_secret_handle(job, text("bureau-api-key"), place, null));
        Pointer key = place.getValue();
        boolean right = answer(cases(job, resource, key), Integer.parseInt(args[1]));
        zt_secret_handle_free(key);
        zt_located_free(resource);
        zt_session_free(job);
        zt_session_free(caller);
        must(zt_runtime_close(zt, 60_000, null));
        zt_runtime_free(zt);
        System.exit(right ? 0 : 1);
    }

    private static Map<String, BooleanSupplier> cases(Pointer job, Pointer resource, Pointer key) {
        Pointer action = text("secret.get");
        Pointer about = text("secret:bureau-api-key");
        var out = new Memory(MANY);
        var made = new Memory(Native.POINTER_SIZE);
        var buffer = new Memory(64);
        var list = new Memory((long) MANY * Native.POINTER_SIZE);
        for (int at = 0; at < MANY; at++) {
            list.setPointer((long) at * Native.POINTER_SIZE, about);
        }
        var cases = new LinkedHashMap<String, BooleanSupplier>();
        cases.put("nothing", () -> zt_decision_is_allowed(null) == 0);
        cases.put("handle", () -> zt_check_at(job, action, resource, out, null, null) == 0 && out.getByte(0) != 0);
        cases.put("text", () -> {
            boolean allowed = zt_check(job, action, about, made, null) == 0;
            Pointer decision = made.getPointer(0);
            allowed = zt_decision_is_allowed(decision) != 0 && allowed;
            zt_decision_free(decision);
            return allowed;
        });
        cases.put("copy", () -> zt_secret_handle_read(key, buffer, 64, made, null) == 0);
        cases.put("many", () -> zt_check_many(job, action, list, MANY, out, null, null) == 0 && out.getByte(MANY - 1) != 0);
        return cases;
    }

    /** A line for each that is read: nanoseconds of each case. */
    private static boolean answer(Map<String, BooleanSupplier> cases, int calls) throws IOException {
        System.out.println(String.join(" ", cases.keySet()));
        boolean right = true;
        while (right && System.in.read() >= 0) {
            var line = new StringJoiner(" ");
            for (var one : cases.entrySet()) {
                int count = calls / (one.getKey().equals("many") ? MANY : 1) + 1;
                long began = System.nanoTime();
                for (int at = 0; at < count; at++) {
                    right = one.getValue().getAsBoolean() && right;
                }
                line.add(Double.toString((System.nanoTime() - began) / (double) count));
            }
            System.out.println(line);
        }
        return right;
    }
}
