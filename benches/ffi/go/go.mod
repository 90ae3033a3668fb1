module zt.benches/calls

go 1.21
