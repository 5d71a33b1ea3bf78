module tracekeeper/tools/testtool

go 1.24.0
