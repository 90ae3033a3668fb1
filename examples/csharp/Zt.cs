using System;
using System.Runtime.InteropServices;
using System.Text;

/// <summary>
/// A native handle. It is freed once: by Dispose, at the latest by its finalizer, and never while a call uses it, for which the
/// marshaller counts.
/// </summary>
public abstract class Handle : SafeHandle
{
    internal Handle(IntPtr made) : base(IntPtr.Zero, true)
    {
        SetHandle(made);
    }

    public override bool IsInvalid
    {
        get { return handle == IntPtr.Zero; }
    }

    /// <summary>Frees the handle by the function of its kind.</summary>
    internal abstract void Free(IntPtr own);

    protected override bool ReleaseHandle()
    {
        Free(handle);
        return true;
    }
}

/// <summary>Why zt refused or failed. The message is for the log of this process; a remote caller may see PublicMessage.</summary>
public sealed class ZtException : Exception
{
    public readonly int Status;
    public readonly string Code;
    public readonly int HttpStatus;
    public readonly string PublicMessage;

    /// <summary>What the policy decided, where it was that which refused; else null.</summary>
    public readonly Decision Decision;

    internal ZtException(string message) : base("ZT-5001 " + message)
    {
        Status = 5001;
        Code = "ZT-5001";
        HttpStatus = 400;
        PublicMessage = "invalid request";
    }

    private ZtException(int status, IntPtr error)
        : base(Utf8.Read(Libzt.zt_error_code(error)) + " " + Utf8.Read(Libzt.zt_error_message(error)))
    {
        Status = status;
        Code = Utf8.Read(Libzt.zt_error_code(error));
        HttpStatus = Libzt.zt_error_http_status(error);
        PublicMessage = Utf8.Read(Libzt.zt_error_public_message(error));
        IntPtr decision = Libzt.zt_error_decision(error);
        Decision = decision == IntPtr.Zero ? null : new Decision(decision);
        Libzt.zt_error_free(error);
    }

    internal static void Settle(int status, IntPtr error)
    {
        if (status != Libzt.OK)
        {
            throw new ZtException(status, error);
        }
    }
}

/// <summary>Texts on their way to C and back.</summary>
internal static class Utf8
{
    // Half of a character is refused, not replaced: C would read another text than was asked.
    private static readonly Encoding Strict = new UTF8Encoding(false, true);

    /// <summary>Reads a text that C keeps.</summary>
    internal static string Read(IntPtr text)
    {
        if (text == IntPtr.Zero)
        {
            return null;
        }
        int length = 0;
        while (Marshal.ReadByte(text, length) != 0)
        {
            length++;
        }
        var bytes = new byte[length];
        Marshal.Copy(text, bytes, 0, length);
        return Strict.GetString(bytes);
    }

    /// <summary>Reads a text that C gives away, and frees it.</summary>
    internal static string Take(IntPtr text)
    {
        try
        {
            return Read(Libzt.zt_text_data(text));
        }
        finally
        {
            Libzt.zt_text_free(text);
        }
    }

    /// <summary>
    /// Gives a text to C for one call and wipes it: it may be a token. One that holds a NUL is refused. The string of the program
    /// stays on the heap until the collector takes it.
    /// </summary>
    internal static T With<T>(string text, Func<IntPtr, T> use)
    {
        if (text == null)
        {
            throw new ArgumentNullException("text");
        }
        if (text.IndexOf('\0') >= 0)
        {
            throw new ZtException("a text holds a NUL");
        }
        byte[] bytes;
        try
        {
            bytes = Strict.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw new ZtException("a text holds half of a character");
        }
        IntPtr copy = Marshal.AllocHGlobal(bytes.Length + 1);
        try
        {
            Marshal.Copy(bytes, 0, copy, bytes.Length);
            Marshal.WriteByte(copy, bytes.Length, 0);
            return use(copy);
        }
        finally
        {
            Array.Clear(bytes, 0, bytes.Length);
            Libzt.zt_wipe(copy, (UIntPtr)(uint)bytes.Length);
            Marshal.FreeHGlobal(copy);
        }
    }
}

/// <summary>What the policy said.</summary>
public sealed class Decision : Handle
{
    internal Decision(IntPtr made) : base(made) { }

    public bool IsAllowed
    {
        get { return Libzt.zt_decision_is_allowed(this) != 0; }
    }

    public string Kind
    {
        get
        {
            string kind = Utf8.Read(Libzt.zt_decision_kind(this));
            // The text lies in the decision.
            GC.KeepAlive(this);
            return kind;
        }
    }

    internal override void Free(IntPtr own)
    {
        Libzt.zt_decision_free(own);
    }
}

/// <summary>Rows in memory.</summary>
public sealed class Batch : Handle
{
    internal Batch(IntPtr made) : base(made) { }

    public static Batch FromCsv(string csv)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(csv);
        IntPtr batch, err;
        ZtException.Settle(Libzt.zt_batch_from_csv(bytes, (UIntPtr)(uint)bytes.Length, out batch, out err), err);
        return new Batch(batch);
    }

    public string ToCsv()
    {
        IntPtr csv, err;
        ZtException.Settle(Libzt.zt_batch_to_csv(this, out csv, out err), err);
        return Utf8.Take(csv);
    }

    internal override void Free(IntPtr own)
    {
        Libzt.zt_batch_free(own);
    }
}

/// <summary>Seals the columns of one output.</summary>
public sealed class Sealer : Handle
{
    internal Sealer(IntPtr made) : base(made) { }

    public Batch Seal(Batch rows)
    {
        IntPtr made, err;
        ZtException.Settle(Libzt.zt_sealer_seal(this, rows, out made, out err), err);
        return new Batch(made);
    }

    internal override void Free(IntPtr own)
    {
        Libzt.zt_sealer_free(own);
    }
}

/// <summary>Opens what was sealed, as far as its session may.</summary>
public sealed class Opener : Handle
{
    internal Opener(IntPtr made) : base(made) { }

    public Batch Unseal(Batch rows)
    {
        IntPtr plain, err;
        ZtException.Settle(Libzt.zt_opener_unseal(this, rows, out plain, out err), err);
        return new Batch(plain);
    }

    internal override void Free(IntPtr own)
    {
        Libzt.zt_opener_free(own);
    }
}

/// <summary>Somebody whose token was verified.</summary>
public sealed class Session : Handle
{
    /// <summary>Key Vault's values have no more bytes.</summary>
    private const int MostBytes = 25600;

    internal Session(IntPtr made) : base(made) { }

    public Session Claiming(uint job, uint stage)
    {
        IntPtr claiming, err;
        ZtException.Settle(Libzt.zt_session_claiming(this, job, stage, out claiming, out err), err);
        return new Session(claiming);
    }

    public Decision Check(string action, string resource)
    {
        return new Decision(Utf8.With(action, verb => Utf8.With(resource, what =>
        {
            IntPtr decision, err;
            ZtException.Settle(Libzt.zt_check(this, verb, what, out decision, out err), err);
            return decision;
        })));
    }

    public string Explain(Decision decision)
    {
        IntPtr explanation, err;
        ZtException.Settle(Libzt.zt_explain(this, decision, out explanation, out err), err);
        return Utf8.Take(explanation);
    }

    /// <summary>Gives the address and the length of the secret's bytes, outside of the heap, and wipes them when `use` returns.</summary>
    public void WithSecret(string reference, Action<IntPtr, int> use)
    {
        IntPtr buffer = Marshal.AllocHGlobal(MostBytes);
        try
        {
            int length = Utf8.With(reference, name =>
            {
                UIntPtr written;
                IntPtr err;
                ZtException.Settle(Libzt.zt_secret_read(this, name, buffer, (UIntPtr)(uint)MostBytes, out written, out err), err);
                return (int)written;
            });
            use(buffer, length);
        }
        finally
        {
            Libzt.zt_wipe(buffer, (UIntPtr)(uint)MostBytes);
            Marshal.FreeHGlobal(buffer);
        }
    }

    public Sealer Sealer(string output)
    {
        return new Sealer(Utf8.With(output, name =>
        {
            IntPtr sealer, err;
            ZtException.Settle(Libzt.zt_sealer_new(this, name, out sealer, out err), err);
            return sealer;
        }));
    }

    public Opener Opener(string output, Batch rows)
    {
        return new Opener(Utf8.With(output, name =>
        {
            IntPtr opener, err;
            ZtException.Settle(Libzt.zt_opener_new(this, name, rows, out opener, out err), err);
            return opener;
        }));
    }

    internal override void Free(IntPtr own)
    {
        Libzt.zt_session_free(own);
    }
}

/// <summary>zt, opened on a folder of tables. Close it: a finalizer cannot say that the audit log was not written.</summary>
public sealed class Runtime : Handle
{
    /// <summary>So long the disk may take for the end of the audit log.</summary>
    private const ulong CloseMs = 5000;

    private Runtime(IntPtr made) : base(made) { }

    public static Runtime Open(string folder)
    {
        return new Runtime(Utf8.With(folder, path =>
        {
            IntPtr runtime, err;
            ZtException.Settle(Libzt.zt_open(path, out runtime, out err), err);
            return runtime;
        }));
    }

    public Session Authenticate(string token)
    {
        return new Session(Utf8.With(token, bearer =>
        {
            IntPtr session, err;
            ZtException.Settle(Libzt.zt_authenticate(this, bearer, out session, out err), err);
            return session;
        }));
    }

    /// <summary>Writes and ends the audit log, and frees the runtime: what it throws must not be passed over.</summary>
    public new void Close()
    {
        try
        {
            IntPtr err;
            ZtException.Settle(Libzt.zt_runtime_close(this, CloseMs, out err), err);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Whether every log of an audit folder is what was written.</summary>
    public static bool IsIntact(string folder)
    {
        byte isIntact = 0;
        Utf8.Take(Utf8.With(folder, path =>
        {
            IntPtr report, err;
            ZtException.Settle(Libzt.zt_audit_verify(path, IntPtr.Zero, out isIntact, out report, out err), err);
            return report;
        }));
        return isIntact != 0;
    }

    internal override void Free(IntPtr own)
    {
        Libzt.zt_runtime_free(own);
    }
}
