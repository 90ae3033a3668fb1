import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.BooleanSupplier;

/** What calls cost from Java, by the foreign function API, with texts that lie outside of the heap. As calls.c. */
@SuppressWarnings("restricted")
final class Calls {
    private static final int MANY = 100;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final Arena ARENA = Arena.global();
    private static final SymbolLookup ZT = SymbolLookup.libraryLookup(System.getProperty("zt.library"), ARENA);

    private static final MethodHandle OPEN = function("zt_open", INT, LONG, LONG, LONG);
    private static final MethodHandle CLOSE = function("zt_runtime_close", INT, LONG, LONG, LONG);
    private static final MethodHandle AUTHENTICATE = function("zt_authenticate", INT, LONG, LONG, LONG, LONG);
    private static final MethodHandle CLAIMING = function("zt_session_claiming", INT, LONG, INT, INT, LONG, LONG);
    private static final MethodHandle LOCATE = function("zt_session_locate", INT, LONG, LONG, LONG, LONG);
    private static final MethodHandle SECRET = function("zt_session_secret_handle", INT, LONG, LONG, LONG, LONG);
    private static final MethodHandle CHECK_AT = function("zt_check_at", INT, LONG, LONG, LONG, LONG, LONG, LONG);
    private static final MethodHandle CHECK = function("zt_check", INT, LONG, LONG, LONG, LONG, LONG);
    private static final MethodHandle IS_ALLOWED = function("zt_decision_is_allowed", BYTE, LONG);
    private static final MethodHandle FREE = function("zt_decision_free", null, LONG);
    private static final MethodHandle READ = function("zt_secret_handle_read", INT, LONG, LONG, LONG, LONG, LONG);
    private static final MethodHandle CHECK_MANY = function("zt_check_many", INT, LONG, LONG, LONG, LONG, LONG, LONG, LONG);

    private Calls() {}

    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        var descriptor = result == null ? FunctionDescriptor.ofVoid(arguments) : FunctionDescriptor.of(result, arguments);
        return Linker.nativeLinker().downcallHandle(ZT.find(name).orElseThrow(), descriptor);
    }

    private interface Call {
        Object call() throws Throwable;
    }

    private static boolean is(Call call) {
        try {
            return (boolean) call.call();
        } catch (Throwable thrown) {
            throw new AssertionError(thrown);
        }
    }

    /** Lives as long as the process. */
    private static long text(String text) {
        return ARENA.allocateFrom(text).address();
    }

    private static void must(int status) {
        if (status != 0) {
            throw new IllegalStateException("zt answers " + status);
        }
    }

    public static void main(String[] args) throws Throwable {
        MemorySegment place = ARENA.allocate(8, 8);
        long out = place.address();
        must((int) OPEN.invokeExact(text(args[0]), out, 0L));
        long zt = place.get(LONG, 0);
        must((int) AUTHENTICATE.invokeExact(zt, text(System.getenv("ZT_TOKEN")), out, 0L));
        long caller = place.get(LONG, 0);
        must((int) CLAIMING.invokeExact(caller, 201, 2, out, 0L));
        long job = place.get(LONG, 0);
        must((int) LOCATE.invokeExact(job, text("secret:bureau-api-key"), out, 0L));
        long resource = place.get(LONG, 0);
        must((int) SECRET.invokeExact(job, text("bureau-api-key"), out, 0L));
        long key = place.get(LONG, 0);
        boolean right = answer(cases(job, resource, key), Integer.parseInt(args[1]));
        must((int) CLOSE.invokeExact(zt, 60_000L, 0L));
        System.exit(right ? 0 : 1);
    }

    private static Map<String, BooleanSupplier> cases(long job, long resource, long key) {
        long action = text("secret.get");
        long about = text("secret:bureau-api-key");
        MemorySegment allowed = ARENA.allocate(MANY);
        MemorySegment made = ARENA.allocate(8, 8);
        long buffer = ARENA.allocate(64).address();
        MemorySegment list = ARENA.allocate(8L * MANY, 8);
        for (int at = 0; at < MANY; at++) {
            list.setAtIndex(LONG, at, about);
        }
        var cases = new LinkedHashMap<String, BooleanSupplier>();
        cases.put("nothing", () -> is(() -> (byte) IS_ALLOWED.invokeExact(0L) == 0));
        cases.put("handle", () -> is(() -> (int) CHECK_AT.invokeExact(job, action, resource, allowed.address(), 0L, 0L) == 0
                && allowed.get(BYTE, 0) != 0));
        cases.put("text", () -> is(() -> {
            boolean right = (int) CHECK.invokeExact(job, action, about, made.address(), 0L) == 0;
            long decision = made.get(LONG, 0);
            right = (byte) IS_ALLOWED.invokeExact(decision) != 0 && right;
            FREE.invokeExact(decision);
            return right;
        }));
        cases.put("copy", () -> is(() -> (int) READ.invokeExact(key, buffer, 64L, made.address(), 0L) == 0));
        cases.put("many", () -> is(() -> (int) CHECK_MANY.invokeExact(job, action, list.address(), (long) MANY, allowed.address(), 0L, 0L) == 0
                && allowed.get(BYTE, MANY - 1) != 0));
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
