package telemetry

import (
	"heddle/executor/machine"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// span is one finished span before it is made. It holds no input, no output and
// no message, for those may hold personal or secret values. It is never changed once
// it is queued.
type span struct {
	run    *subject
	id     trace.SpanID
	parent trace.SpanID // zero: a root
	remote bool         // the parent is a caller's
	link   trace.SpanID // of the same trace, zero: none
	name   string
	kind   trace.SpanKind
	// start and end are the journal's, never this process's clock.
	start time.Time
	end   time.Time
	state string // how it ended, in the words of the journal
	code  string // error.type, "" when it did not fail

	step     machine.Ref // zero for a run
	stepType string
	attempt  int           // from 1; 0 where the span is not an attempt's
	life     int           // of a run: how often it was resumed after its end
	usage    machine.Usage // of a run, as of its end
}

// subject is what the spans of one run have in common, shared by all that one growth
// ended. The header has no input.
type subject struct {
	traceContext
	machine.Header
}

// attributes returns what a span says of its run and step. The names under
// heddle. are documented in docs/operations.md; error.type is OpenTelemetry's
// own.
func (s *span) attributes() []attribute.KeyValue {
	list := make([]attribute.KeyValue, 0, 12)
	list = append(list,
		attribute.String("heddle.run.id", s.run.RunID),
		attribute.String("heddle.tenant.id", s.run.TenantID),
		attribute.String("heddle.workflow.id", s.run.WorkflowID),
		attribute.String("heddle.workflow.slug", s.run.Slug),
		attribute.Int("heddle.workflow.version", s.run.Version),
		attribute.String("heddle.state", s.state),
	)
	if s.step.StepID == "" {
		list = append(list, attribute.String("heddle.trigger", s.run.Trigger), attribute.Int("heddle.run.life", s.life))
		if s.usage.Tokens != 0 || s.usage.CostMicroUSD != 0 {
			list = append(list, attribute.Int64("heddle.tokens", s.usage.Tokens), attribute.Int64("heddle.cost_micro_usd", s.usage.CostMicroUSD))
		}
	} else {
		list = append(list, attribute.String("heddle.step.id", s.step.StepID), attribute.String("heddle.step.type", s.stepType))
	}
	if s.step.Iteration != "" {
		list = append(list, attribute.String("heddle.iteration", s.step.Iteration))
	}
	if s.attempt != 0 {
		list = append(list, attribute.Int("heddle.attempt", s.attempt))
	}
	if s.code != "" {
		list = append(list, semconv.ErrorTypeKey.String(s.code))
	}
	return list
}

// status returns Error for what failed, and leaves it unset otherwise, as
// OpenTelemetry asks of instrumentation. A cancelled step has not failed.
func (s *span) status() codes.Code {
	if s.code != "" {
		return codes.Error
	}
	return codes.Unset
}
