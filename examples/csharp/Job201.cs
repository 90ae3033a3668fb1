using System;

/// <summary>
/// Job 201 from C#: it asks, reads its secret, seals what it made, and what it may not do is explained.
///
///   mcs -out:job201.exe *.cs &amp;&amp; LD_LIBRARY_PATH=/path/to/lib mono job201.exe ../world      with Mono
///   dotnet run -- ../world                                                             with .NET 8 or later
///
/// Tokens, the secret and the key of the sample world are made as examples/README.md says.
/// </summary>
internal static class Job201
{
    private const string Scores =
        "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n70000,20K - 40K,0.703953,0.99,1\n";

    private static int Main(string[] arguments)
    {
        string folder = arguments.Length > 0 ? arguments[0] : "examples/world";
        try
        {
            Runtime zt = Runtime.Open(folder);
            try
            {
                Run(zt);
            }
            finally
            {
                // The audit log is written before this ends, whatever happened: nothing did that it does not tell.
                zt.Close();
            }
            bool isIntact = Runtime.IsIntact(folder + "/.zt/audit");
            Console.WriteLine("audit log: " + (isIntact ? "intact" : "damaged"));
            return isIntact ? 0 : 1;
        }
        catch (ZtException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return 1;
        }
    }

    private static void Run(Runtime zt)
    {
        using (Session caller = zt.Authenticate(Environment.GetEnvironmentVariable("ZT_TOKEN")))
        using (Session job = caller.Claiming(201, 2))
        using (Session risk = zt.Authenticate(Environment.GetEnvironmentVariable("ZT_RISK")))
        using (Session security = zt.Authenticate(Environment.GetEnvironmentVariable("ZT_SECURITY")))
        {
            using (Decision decision = job.Check("model.infer", "model:car_loan_scorer"))
            {
                Console.WriteLine("model.infer: " + decision.Kind);
            }
            job.WithSecret("bureau-api-key", (bytes, length) => Console.WriteLine("bureau-api-key: " + length + " bytes"));
            using (Sealer sealer = job.Sealer("loan_scores_delta"))
            using (Batch batch = Batch.FromCsv(Scores))
            using (Batch closed = sealer.Seal(batch))
            using (Opener opener = risk.Opener("loan_scores_delta", closed))
            using (Batch plain = opener.Unseal(closed))
            {
                if (closed.ToCsv().Contains("20K") || plain.ToCsv() != Scores)
                {
                    throw new InvalidOperationException("what was sealed is not what was opened");
                }
                Console.WriteLine("sealed and opened: 1 row");
            }
            try
            {
                job.WithSecret("sql-loans-password", (bytes, length) => { });
                throw new InvalidOperationException("the database's password was not refused");
            }
            catch (ZtException refusal)
            {
                if (refusal.Decision == null)
                {
                    throw;
                }
                using (Decision decision = refusal.Decision)
                {
                    Console.WriteLine("sql-loans-password: " + decision.Kind);
                    // Near misses are for the security team alone.
                    Console.WriteLine("explained: " + security.Explain(decision));
                }
            }
        }
    }
}
