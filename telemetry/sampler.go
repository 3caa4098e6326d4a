package telemetry

import (
	"fmt"
	"strconv"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Samplers returns the accepted names of OTEL_TRACES_SAMPLER, as the OpenTelemetry
// specification has them; "" stands for the first.
func Samplers() []string {
	return []string{
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
		"always_on", "always_off", "traceidratio",
	}
}

// NewSampler reads OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG: the
// proportion of the ratio samplers from 0 to 1, "" for 1. Its errors are written to
// follow the name of a setting.
func NewSampler(name, arg string) (sdktrace.Sampler, error) {
	proportion := 1.0
	if arg != "" {
		var err error
		if proportion, err = strconv.ParseFloat(arg, 64); err != nil || !(proportion >= 0 && proportion <= 1) {
			return nil, fmt.Errorf("it is not a number from 0 to 1")
		}
	}
	switch name {
	case "", "parentbased_always_on":
		return sdktrace.ParentBased(sdktrace.AlwaysSample()), nil
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample()), nil
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(proportion)), nil
	case "always_on":
		return sdktrace.AlwaysSample(), nil
	case "always_off":
		return sdktrace.NeverSample(), nil
	case "traceidratio":
		return sdktrace.TraceIDRatioBased(proportion), nil
	}
	return nil, fmt.Errorf("it is none of them")
}
