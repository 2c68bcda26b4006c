module podgate.dev/e2e/tools/pause

go 1.26.0

tool podgate.dev/e2e/tools/pause
