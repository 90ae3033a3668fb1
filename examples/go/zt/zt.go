// Package zt is libzt for Go. What may wait takes a context, parks no thread, and is cancelled with it. A secret is never copied
// into Go's heap. A Runtime is closed by Close alone; a finalizer frees every other handle that was forgotten. Close frees at once:
// call it when no goroutine uses the handle any more.
//
// The C compiler finds zt.h by CGO_CFLAGS=-I…, the linker libzt by CGO_LDFLAGS=-L…, or both by PKG_CONFIG_PATH and the tag
// pkgconfig.
package zt

// #cgo !pkgconfig LDFLAGS: -lzt
// #cgo pkgconfig pkg-config: zt
// #include <stdlib.h>
// #include <stdint.h>
// #include <zt.h>
//
// extern void ztDone(uintptr_t handle);
// static void zt_go_done(void *handle, const zt_operation *operation) { (void)operation; ztDone((uintptr_t)handle); }
//
// static inline zt_status zt_go_open(const char *folder, uintptr_t handle, zt_operation **op, zt_error **err) {
//     return zt_open_async(folder, NULL, 0, zt_go_done, (void *)handle, op, err);
// }
// static inline zt_status zt_go_authenticate(const zt_runtime *zt, const char *token, uintptr_t handle, zt_operation **op,
//                                            zt_error **err) {
//     return zt_authenticate_async(zt, token, 0, zt_go_done, (void *)handle, op, err);
// }
// static inline zt_status zt_go_secret(const zt_session *session, const char *reference, uintptr_t handle, zt_operation **op,
//                                      zt_error **err) {
//     return zt_secret_get_async(session, reference, 0, zt_go_done, (void *)handle, op, err);
// }
// static inline zt_status zt_go_sealer(const zt_session *session, const char *output, uintptr_t handle, zt_operation **op,
//                                      zt_error **err) {
//     return zt_sealer_new_async(session, output, 0, zt_go_done, (void *)handle, op, err);
// }
// static inline zt_status zt_go_opener(const zt_session *session, const char *output, const zt_batch *sealed,
//                                      uintptr_t handle, zt_operation **op, zt_error **err) {
//     return zt_opener_new_async(session, output, sealed, 0, zt_go_done, (void *)handle, op, err);
// }
import "C"

import (
	"context"
	"runtime"
	"runtime/cgo"
	"strings"
	"time"
	"unsafe"
)

// Error says why zt refused or failed. Its text is for the log of this process; a remote caller may see Public alone.
type Error struct {
	Status     int
	Code       string
	Message    string
	Help       string
	Public     string
	HTTPStatus int
	// Decision is what a refusal was decided by, else nil.
	Decision *Decision
}

func (e *Error) Error() string { return e.Code + " " + e.Message }

func failed(status C.zt_status, err *C.zt_error) error {
	defer C.zt_error_free(err)
	made := &Error{
		Status:     int(status),
		Code:       C.GoString(C.zt_error_code(err)),
		Message:    C.GoString(C.zt_error_message(err)),
		Help:       C.GoString(C.zt_error_help(err)),
		Public:     C.GoString(C.zt_error_public_message(err)),
		HTTPStatus: int(C.zt_error_http_status(err)),
	}
	if decision := C.zt_error_decision(err); decision != nil {
		made.Decision = newDecision(decision)
	}
	return made
}

// text gives Go's text to C for one call. C would read one that holds a NUL cut short.
func text(in string, call func(*C.char) error) error {
	if strings.IndexByte(in, 0) >= 0 {
		return &Error{Status: C.ZT_STATUS_INVALID_ARGUMENT, Code: "ZT-5001", Message: "a text holds a NUL",
			Public: "invalid request", HTTPStatus: 400}
	}
	out := C.CString(in)
	defer C.free(unsafe.Pointer(out))
	defer C.zt_wipe(unsafe.Pointer(out), C.size_t(len(in))) // it may be a token
	return call(out)
}

// await starts an operation and waits for its end, or gives it up with the context.
func await(ctx context.Context, start func(C.uintptr_t, **C.zt_operation, **C.zt_error) C.zt_status,
	take func(*C.zt_operation, **C.zt_error) C.zt_status) error {
	var operation *C.zt_operation
	var err *C.zt_error
	done := make(chan struct{})
	handle := cgo.NewHandle(done)
	if status := start(C.uintptr_t(handle), &operation, &err); status != C.ZT_STATUS_OK {
		handle.Delete()
		return failed(status, err)
	}
	defer C.zt_operation_free(operation)
	select {
	case <-done:
	case <-ctx.Done():
		C.zt_operation_cancel(operation)
		<-done
	}
	if status := take(operation, &err); status != C.ZT_STATUS_OK {
		if ctx.Err() != nil && status == C.ZT_STATUS_CANCELLED {
			C.zt_error_free(err)
			return context.Cause(ctx)
		}
		return failed(status, err)
	}
	return nil
}

// Runtime is the zero-trust runtime of a process; one is enough. Safe for many goroutines.
type Runtime struct{ c *C.zt_runtime }

// Open opens the folder that holds zt.toml.
func Open(ctx context.Context, folder string) (*Runtime, error) {
	zt := &Runtime{}
	err := text(folder, func(folder *C.char) error {
		return await(ctx, func(told C.uintptr_t, op **C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_go_open(folder, told, op, err)
		}, func(op *C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_operation_runtime(op, &zt.c, err)
		})
	})
	if err != nil {
		return nil, err
	}
	return zt, nil
}

// Close writes and ends the audit log, and frees the runtime: its error must not be passed over.
func (zt *Runtime) Close(timeout time.Duration) error {
	var err *C.zt_error
	status := C.zt_runtime_close(zt.c, C.uint64_t(max(timeout, 0).Milliseconds()), &err)
	C.zt_runtime_free(zt.c)
	zt.c = nil
	if status != C.ZT_STATUS_OK {
		return failed(status, err)
	}
	return nil
}

// Authenticate verifies a caller's Entra access token.
func (zt *Runtime) Authenticate(ctx context.Context, token string) (*Session, error) {
	session := &Session{}
	err := text(token, func(token *C.char) error {
		return await(ctx, func(told C.uintptr_t, op **C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_go_authenticate(zt.c, token, told, op, err)
		}, func(op *C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_operation_session(op, &session.c, err)
		})
	})
	if err != nil {
		return nil, err
	}
	return session.kept(), nil
}

// Session is what one authenticated caller may do.
type Session struct{ c *C.zt_session }

func (s *Session) kept() *Session {
	runtime.SetFinalizer(s, (*Session).Close)
	return s
}

// Close frees it; closing again does nothing.
func (s *Session) Close() {
	C.zt_session_free(s.c)
	s.c = nil
	runtime.SetFinalizer(s, nil)
}

// Claiming is the same caller, claiming to work on a stage of a job.
func (s *Session) Claiming(job, stage uint32) (*Session, error) {
	defer runtime.KeepAlive(s)
	claiming, err := &Session{}, (*C.zt_error)(nil)
	if status := C.zt_session_claiming(s.c, C.uint32_t(job), C.uint32_t(stage), &claiming.c, &err); status != C.ZT_STATUS_OK {
		return nil, failed(status, err)
	}
	return claiming.kept(), nil
}

// Decision says whether a request may proceed.
type Decision struct {
	Allowed bool
	Kind    string
	ID      string
	c       *C.zt_decision
}

func newDecision(c *C.zt_decision) *Decision {
	decision := &Decision{bool(C.zt_decision_is_allowed(c)), C.GoString(C.zt_decision_kind(c)),
		C.GoString(C.zt_decision_id(c)), c}
	runtime.SetFinalizer(decision, func(d *Decision) { C.zt_decision_free(d.c) })
	return decision
}

// Check asks whether the caller may do this now. A deny is a decision, not an error.
func (s *Session) Check(action, resource string) (*Decision, error) {
	defer runtime.KeepAlive(s)
	var made *C.zt_decision
	err := text(action, func(action *C.char) error {
		return text(resource, func(resource *C.char) error {
			var err *C.zt_error
			if status := C.zt_check(s.c, action, resource, &made, &err); status != C.ZT_STATUS_OK {
				return failed(status, err)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return newDecision(made), nil
}

// Explain gives a decision in full, as JSON, with the rows that nearly allowed it.
func (s *Session) Explain(decision *Decision) (string, error) {
	defer runtime.KeepAlive(s)
	defer runtime.KeepAlive(decision)
	var made *C.zt_text
	var err *C.zt_error
	if status := C.zt_explain(s.c, decision.c, &made, &err); status != C.ZT_STATUS_OK {
		return "", failed(status, err)
	}
	return owned(made), nil
}

// WithSecret gives the secret's bytes to use, where they are: they end when it returns. What it copies zt cannot wipe.
func (s *Session) WithSecret(ctx context.Context, reference string, use func(value []byte) error) error {
	defer runtime.KeepAlive(s)
	var secret *C.zt_secret
	err := text(reference, func(reference *C.char) error {
		return await(ctx, func(told C.uintptr_t, op **C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_go_secret(s.c, reference, told, op, err)
		}, func(op *C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_operation_secret(op, &secret, err)
		})
	})
	if err != nil {
		return err
	}
	defer C.zt_secret_free(secret)
	var length C.size_t
	value := C.zt_secret_bytes(secret, &length)
	return use(unsafe.Slice((*byte)(value), int(length)))
}

func owned(text *C.zt_text) string {
	defer C.zt_text_free(text)
	data := (*byte)(unsafe.Pointer(C.zt_text_data(text)))
	return string(unsafe.Slice(data, int(C.zt_text_len(text))))
}

// Verify says whether every log of an audit folder is what was written, and gives the report as JSON.
func Verify(folder string) (intact bool, report string, err error) {
	err = text(folder, func(folder *C.char) error {
		var made *C.zt_text
		var err *C.zt_error
		var found C.bool
		if status := C.zt_audit_verify(folder, nil, &found, &made, &err); status != C.ZT_STATUS_OK {
			return failed(status, err)
		}
		intact, report = bool(found), owned(made)
		return nil
	})
	return intact, report, err
}

// Batch is rows of data, by column.
type Batch struct{ c *C.zt_batch }

func newBatch(c *C.zt_batch) *Batch {
	batch := &Batch{c}
	runtime.SetFinalizer(batch, func(b *Batch) { C.zt_batch_free(b.c) })
	return batch
}

// FromCSV reads UTF-8 with commas and a header.
func FromCSV(csv []byte) (*Batch, error) {
	var made *C.zt_batch
	var err *C.zt_error
	place := (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(csv)))
	if status := C.zt_batch_from_csv(place, C.size_t(len(csv)), &made, &err); status != C.ZT_STATUS_OK {
		return nil, failed(status, err)
	}
	return newBatch(made), nil
}

// CSV is the batch as CSV.
func (b *Batch) CSV() (string, error) {
	defer runtime.KeepAlive(b)
	var made *C.zt_text
	var err *C.zt_error
	if status := C.zt_batch_to_csv(b.c, &made, &err); status != C.ZT_STATUS_OK {
		return "", failed(status, err)
	}
	return owned(made), nil
}

// Seal seals a batch for an output, under a data key of its own.
func (s *Session) Seal(ctx context.Context, output string, batch *Batch) (*Batch, error) {
	defer runtime.KeepAlive(s)
	defer runtime.KeepAlive(batch)
	var sealer *C.zt_sealer
	err := text(output, func(output *C.char) error {
		return await(ctx, func(told C.uintptr_t, op **C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_go_sealer(s.c, output, told, op, err)
		}, func(op *C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_operation_sealer(op, &sealer, err)
		})
	})
	if err != nil {
		return nil, err
	}
	defer C.zt_sealer_free(sealer)
	var sealed *C.zt_batch
	var failure *C.zt_error
	if status := C.zt_sealer_seal(sealer, batch.c, &sealed, &failure); status != C.ZT_STATUS_OK {
		return nil, failed(status, failure)
	}
	return newBatch(sealed), nil
}

// Open unseals a batch of an output, as far as the policy shows it.
func (s *Session) Open(ctx context.Context, output string, sealed *Batch) (*Batch, error) {
	defer runtime.KeepAlive(s)
	defer runtime.KeepAlive(sealed)
	var opener *C.zt_opener
	err := text(output, func(output *C.char) error {
		return await(ctx, func(told C.uintptr_t, op **C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_go_opener(s.c, output, sealed.c, told, op, err)
		}, func(op *C.zt_operation, err **C.zt_error) C.zt_status {
			return C.zt_operation_opener(op, &opener, err)
		})
	})
	if err != nil {
		return nil, err
	}
	defer C.zt_opener_free(opener)
	var plain *C.zt_batch
	var failure *C.zt_error
	if status := C.zt_opener_unseal(opener, sealed.c, &plain, &failure); status != C.ZT_STATUS_OK {
		return nil, failed(status, failure)
	}
	return newBatch(plain), nil
}
