using System;
using System.Runtime.InteropServices;

/// <summary>The functions of zt.h as they are, by P/Invoke. size_t is UIntPtr, a C bool one byte, a text a pointer to UTF-8.</summary>
internal static class Libzt
{
    internal const int OK = 0;
    private const uint Abi = 1;

    // Its file is found by the loader: libzt.so, libzt.dylib or zt.dll.
    private const string Name = "zt";

    static Libzt()
    {
        // Within one ABI version functions are only added.
        if (zt_abi_version() != Abi)
        {
            throw new DllNotFoundException("libzt has ABI version " + zt_abi_version() + ", this class was made for " + Abi);
        }
    }

    [DllImport(Name)] internal static extern uint zt_abi_version();

    [DllImport(Name)] internal static extern int zt_open(IntPtr folder, out IntPtr runtime, out IntPtr err);
    [DllImport(Name)] internal static extern int zt_runtime_close(Handle runtime, ulong timeoutMs, out IntPtr err);
    [DllImport(Name)] internal static extern void zt_runtime_free(IntPtr runtime);

    [DllImport(Name)] internal static extern int zt_authenticate(Handle runtime, IntPtr token, out IntPtr session, out IntPtr err);
    [DllImport(Name)] internal static extern int zt_session_claiming(Handle session, uint job, uint stage, out IntPtr claiming, out IntPtr err);
    [DllImport(Name)] internal static extern void zt_session_free(IntPtr session);

    [DllImport(Name)] internal static extern int zt_check(Handle session, IntPtr action, IntPtr resource, out IntPtr decision, out IntPtr err);
    [DllImport(Name)] internal static extern byte zt_decision_is_allowed(Handle decision);
    [DllImport(Name)] internal static extern IntPtr zt_decision_kind(Handle decision);
    [DllImport(Name)] internal static extern void zt_decision_free(IntPtr decision);
    [DllImport(Name)] internal static extern int zt_explain(Handle session, Handle decision, out IntPtr explanation, out IntPtr err);

    [DllImport(Name)] internal static extern int zt_secret_read(Handle session, IntPtr reference, IntPtr buffer, UIntPtr capacity, out UIntPtr length, out IntPtr err);
    [DllImport(Name)] internal static extern void zt_wipe(IntPtr bytes, UIntPtr length);

    [DllImport(Name)] internal static extern int zt_batch_from_csv(byte[] csv, UIntPtr length, out IntPtr batch, out IntPtr err);
    [DllImport(Name)] internal static extern int zt_batch_to_csv(Handle batch, out IntPtr csv, out IntPtr err);
    [DllImport(Name)] internal static extern void zt_batch_free(IntPtr batch);
    [DllImport(Name)] internal static extern int zt_sealer_new(Handle session, IntPtr output, out IntPtr sealer, out IntPtr err);
    [DllImport(Name)] internal static extern int zt_sealer_seal(Handle sealer, Handle batch, out IntPtr sealed_, out IntPtr err);
    [DllImport(Name)] internal static extern void zt_sealer_free(IntPtr sealer);
    [DllImport(Name)] internal static extern int zt_opener_new(Handle session, IntPtr output, Handle sealed_, out IntPtr opener, out IntPtr err);
    [DllImport(Name)] internal static extern int zt_opener_unseal(Handle opener, Handle sealed_, out IntPtr plain, out IntPtr err);
    [DllImport(Name)] internal static extern void zt_opener_free(IntPtr opener);

    [DllImport(Name)] internal static extern int zt_audit_verify(IntPtr folder, IntPtr key, out byte isIntact, out IntPtr report, out IntPtr err);

    [DllImport(Name)] internal static extern IntPtr zt_text_data(IntPtr text);
    [DllImport(Name)] internal static extern void zt_text_free(IntPtr text);

    [DllImport(Name)] internal static extern IntPtr zt_error_code(IntPtr error);
    [DllImport(Name)] internal static extern IntPtr zt_error_message(IntPtr error);
    [DllImport(Name)] internal static extern IntPtr zt_error_public_message(IntPtr error);
    [DllImport(Name)] internal static extern int zt_error_http_status(IntPtr error);
    [DllImport(Name)] internal static extern IntPtr zt_error_decision(IntPtr error);
    [DllImport(Name)] internal static extern void zt_error_free(IntPtr error);
}
