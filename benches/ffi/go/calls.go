// What calls cost from Go, by cgo, with texts that C keeps. As calls.c.
package main

// #cgo LDFLAGS: -lzt
// #include <stdlib.h>
// #include <zt.h>
//
// // What is asked, read and freed is one crossing.
// static bool check_at(const zt_session *job, const char *action, const zt_located *resource) {
//     bool allowed = false;
//     return zt_check_at(job, action, resource, &allowed, NULL, NULL) == ZT_STATUS_OK && allowed;
// }
// static bool check(const zt_session *job, const char *action, const char *resource) {
//     zt_decision *decision = NULL;
//     bool allowed = zt_check(job, action, resource, &decision, NULL) == ZT_STATUS_OK && zt_decision_is_allowed(decision);
//     zt_decision_free(decision);
//     return allowed;
// }
// static bool copy_of(const zt_secret_handle *key, uint8_t *buffer, size_t capacity) {
//     size_t length = 0;
//     return zt_secret_handle_read(key, buffer, capacity, &length, NULL) == ZT_STATUS_OK;
// }
import "C"

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

const many = 100

type measured struct {
	name    string
	ofCalls int
	call    func() bool
}

func main() {
	if len(os.Args) != 3 {
		os.Exit(2)
	}
	calls, err := strconv.Atoi(os.Args[2])
	if err != nil || !run(os.Args[1], os.Getenv("ZT_TOKEN"), calls) {
		os.Exit(1)
	}
}

func run(folder, token string, calls int) bool {
	var zt *C.zt_runtime
	var caller, job *C.zt_session
	var resource *C.zt_located
	var key *C.zt_secret_handle
	action, about, name := C.CString("secret.get"), C.CString("secret:bureau-api-key"), C.CString("bureau-api-key")
	if C.zt_open(C.CString(folder), &zt, nil) != 0 || C.zt_authenticate(zt, C.CString(token), &caller, nil) != 0 ||
		C.zt_session_claiming(caller, 201, 2, &job, nil) != 0 ||
		C.zt_session_locate(job, about, &resource, nil) != 0 ||
		C.zt_session_secret_handle(job, name, &key, nil) != 0 {
		return false
	}
	list := (*[many]*C.char)(C.calloc(many, C.size_t(unsafe.Sizeof(about))))
	allowed := (*[many]C.bool)(C.calloc(many, 1))
	for at := range list {
		list[at] = about
	}
	buffer := (*C.uint8_t)(C.calloc(64, 1))
	cases := []measured{
		{"nothing", 1, func() bool { return !bool(C.zt_decision_is_allowed(nil)) }},
		{"handle", 1, func() bool { return bool(C.check_at(job, action, resource)) }},
		{"text", 1, func() bool { return bool(C.check(job, action, about)) }},
		{"copy", 1, func() bool { return bool(C.copy_of(key, buffer, 64)) }},
		{"many", many, func() bool {
			return C.zt_check_many(job, action, &list[0], many, &allowed[0], nil, nil) == 0 && bool(allowed[many-1])
		}},
	}
	right := answer(cases, calls)
	C.zt_secret_handle_free(key)
	C.zt_located_free(resource)
	C.zt_session_free(job)
	C.zt_session_free(caller)
	right = C.zt_runtime_close(zt, 60000, nil) == 0 && right
	C.zt_runtime_free(zt)
	return right
}

// answer writes a line for each that is read: nanoseconds of each case.
func answer(cases []measured, calls int) bool {
	names := make([]string, len(cases))
	for at, one := range cases {
		names[at] = one.name
	}
	fmt.Println(strings.Join(names, " "))
	right := true
	for asked := bufio.NewScanner(os.Stdin); right && asked.Scan(); {
		took := make([]string, len(cases))
		for at, one := range cases {
			count := calls/one.ofCalls + 1
			began := time.Now()
			for at := 0; at < count; at++ {
				right = one.call() && right
			}
			took[at] = strconv.FormatFloat(float64(time.Since(began).Nanoseconds())/float64(count), 'f', 1, 64)
		}
		fmt.Println(strings.Join(took, " "))
	}
	return right
}
