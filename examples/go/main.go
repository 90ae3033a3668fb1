// Job 201 from Go: it asks, reads its secret, seals what it made, and what it may not do is explained.
//
//	cargo xtask install-c --prefix $HOME/.local
//	PKG_CONFIG_PATH=$HOME/.local/lib/pkgconfig go run -tags pkgconfig . ../world
//
// Tokens, the secret and the key of the sample world are made as examples/README.md says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"zt.example/job201/zt"
)

const scores = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n70000,20K - 40K,0.703953,0.99,1\n"

func run(ctx context.Context, rt *zt.Runtime) error {
	caller, err := rt.Authenticate(ctx, os.Getenv("ZT_TOKEN"))
	if err != nil {
		return err
	}
	defer caller.Close()
	job, err := caller.Claiming(201, 2)
	if err != nil {
		return err
	}
	defer job.Close()

	decision, err := job.Check("model.infer", "model:car_loan_scorer")
	if err != nil {
		return err
	}
	fmt.Println("model.infer:", decision.Kind)

	err = job.WithSecret(ctx, "bureau-api-key", func(key []byte) error {
		fmt.Println("bureau-api-key:", len(key), "bytes") // used where it is, never printed
		return nil
	})
	if err != nil {
		return err
	}
	if err := sealAndOpen(ctx, rt, job); err != nil {
		return err
	}
	return refusal(ctx, rt, job)
}

// What is sealed here opens for whom the tables name, and for nobody else.
func sealAndOpen(ctx context.Context, rt *zt.Runtime, job *zt.Session) error {
	risk, err := rt.Authenticate(ctx, os.Getenv("ZT_RISK"))
	if err != nil {
		return err
	}
	defer risk.Close()
	batch, err := zt.FromCSV([]byte(scores))
	if err != nil {
		return err
	}
	sealed, err := job.Seal(ctx, "loan_scores_delta", batch)
	if err != nil {
		return err
	}
	hidden, err := sealed.CSV()
	if err != nil {
		return err
	}
	plain, err := risk.Open(ctx, "loan_scores_delta", sealed)
	if err != nil {
		return err
	}
	opened, err := plain.CSV()
	if err != nil {
		return err
	}
	if strings.Contains(hidden, "20K") || opened != scores {
		return errors.New("what was sealed is not what was opened")
	}
	fmt.Println("sealed and opened: 1 row")
	return nil
}

func refusal(ctx context.Context, rt *zt.Runtime, job *zt.Session) error {
	err := job.WithSecret(ctx, "sql-loans-password", func([]byte) error { return nil })
	var refused *zt.Error
	if !errors.As(err, &refused) || refused.Decision == nil {
		return fmt.Errorf("the database's password was not refused: %w", err)
	}
	fmt.Println("sql-loans-password:", refused.Decision.Kind)
	security, err := rt.Authenticate(ctx, os.Getenv("ZT_SECURITY"))
	if err != nil {
		return err
	}
	defer security.Close()
	explained, err := security.Explain(refused.Decision) // near misses are for the security team alone
	if err != nil {
		return err
	}
	fmt.Println("explained:", explained)
	return nil
}

func main() {
	folder := "examples/world"
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	rt, err := zt.Open(ctx, folder)
	if err == nil {
		// The audit log is written before Close returns: nothing happened here that it does not tell.
		err = errors.Join(run(ctx, rt), rt.Close(5*time.Second))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	intact, _, err := zt.Verify(folder + "/.zt/audit")
	if err != nil || !intact {
		fmt.Fprintln(os.Stderr, "audit log: damaged", err)
		os.Exit(1)
	}
	fmt.Println("audit log: intact")
}
