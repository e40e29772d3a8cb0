module github.com/seed-363d07a3/jwtbearer

go 1.26.0
