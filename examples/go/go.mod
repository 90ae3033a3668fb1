module zt.example/job201

go 1.21
