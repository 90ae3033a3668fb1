package zt

// #include <stdint.h>
// #include <zt.h>
import "C"

import "runtime/cgo"

// ztDone runs on zt's thread for callbacks, once for each operation. It must not wait: the channel has room for its one message.
//
//export ztDone
func ztDone(handle C.uintptr_t) {
	told := cgo.Handle(handle)
	close(told.Value().(chan struct{}))
	told.Delete()
}
