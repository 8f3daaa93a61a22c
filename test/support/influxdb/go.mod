module kube-crier.test/influxdb

go 1.21

require github.com/influxdata/influxdb v1.8.10
