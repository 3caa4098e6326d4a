// Package telemetry makes OpenTelemetry spans of what runs do and sends them to
// a collector (OTLP over HTTP). A span is made of the events that ended it, once
// they are durable: ids are derived from the run, the step, the iteration and
// the attempt, times are the journal's, so a run that outlives its process has
// one trace, and no span twice. Nothing here can hold a run up: spans wait in a
// bounded queue, and those beyond it are dropped and counted. A process that is
// killed loses what it had not sent.
//
// A run has a span for each of its lives (a resume after the end begins another),
// a step one for each time that it ran, below the run or the loop's attempt, and
// each attempt one below its step. The trace is the caller's where the start
// carried a traceparent (W3C Trace Context), else one of the run's own.
//
// Spans carry no inputs, outputs, configs or messages, so nothing secret. The
// package decides nothing about runs, and nothing waits for it.
package telemetry

import (
	"context"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Config says where spans go. Zero numbers take the defaults named beside them.
type Config struct {
	// Endpoint is the whole URL that spans are posted to, as
	// "http://127.0.0.1:4318/v1/traces".
	Endpoint string
	// Headers are sent with each post, such as a collector's credentials.
	Headers map[string]string
	// Service is service.name; "": heddle, or what Attributes say. Version is
	// service.version, left out where it is "". Attributes are more of the resource.
	Service    string
	Version    string
	Attributes map[string]string
	// Sampler decides for a whole run; nil: the caller's decision, and all runs
	// without a caller.
	Sampler sdktrace.Sampler
	// SendsTrace reports whether attempts of a step type send requests that
	// carry their traceparent: their spans are clients'. nil: no type does.
	SendsTrace func(stepType string) bool
	// The numbers are positive; zero takes the default.
	Queue   int           // spans that wait at most: 8192
	Batch   int           // spans sent at once: 512
	Delay   time.Duration // between two sends of less than a batch: 5 s
	Timeout time.Duration // of a send, its retries included: 30 s
	// Log gets a warning about losses, at most twice a minute; nil: no log.
	Log *slog.Logger
}

// Service turns the growths of runs into spans. It is the executor's Tracer, and
// safe for concurrent use; none of its methods waits for the network but Close.
// Its fields do not change after New.
type Service struct {
	sampler    sdktrace.Sampler
	sendsTrace func(stepType string) bool
	queue      *queue
}

var _ executor.Tracer = (*Service)(nil)

// New returns a service that sends. Nothing is connected before the first span
// ended. Close flushes, and must be called: a goroutine sends until then. The
// error is of an unusable endpoint (CheckEndpoint), in words for the operator.
func New(cfg Config) (*Service, error) {
	if err := CheckEndpoint(cfg.Endpoint); err != nil {
		return nil, err
	}
	res, err := resourceOf(cfg)
	if err != nil {
		return nil, err
	}
	// Started: the exporter's own start does nothing over HTTP.
	exporter, err := otlptracehttp.New(context.Background(),
		otlptracehttp.WithEndpointURL(cfg.Endpoint), otlptracehttp.WithHeaders(cfg.Headers))
	if err != nil {
		return nil, fmt.Errorf("set up the export of spans: %w", err)
	}
	if cfg.Sampler == nil {
		cfg.Sampler = sdktrace.ParentBased(sdktrace.AlwaysSample())
	}
	if cfg.SendsTrace == nil {
		cfg.SendsTrace = func(string) bool { return false }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{sampler: cfg.Sampler, sendsTrace: cfg.SendsTrace, queue: newQueue(cfg, exporter, res)}, nil
}

// resourceOf describes this process, as each span names it. A service.name among
// the attributes counts only where cfg.Service is "".
func resourceOf(cfg Config) (*resource.Resource, error) {
	list := []attribute.KeyValue{semconv.ServiceName(orDefault(cfg.Service, "heddle"))}
	if cfg.Version != "" {
		list = append(list, semconv.ServiceVersion(cfg.Version))
	}
	for k, v := range cfg.Attributes {
		// Two values for one key would leave it to the SDK which one counts.
		if k != string(semconv.ServiceNameKey) || cfg.Service == "" {
			list = append(list, attribute.String(k, v))
		}
	}
	res, err := resource.New(context.Background(), resource.WithTelemetrySDK(), resource.WithAttributes(list...))
	if err != nil {
		return nil, fmt.Errorf("describe this process to the collector: %w", err)
	}
	return res, nil
}

// orDefault returns v, or d where v is zero.
func orDefault[T int | time.Duration | string](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// CheckEndpoint returns nil for a URL that spans can be posted to, and otherwise
// an error that says what is wrong with it. The error does not quote the URL, which
// may hold a password. Nothing is connected.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return fmt.Errorf("it is not a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("it does not begin with http:// or https:// and a host")
	case u.User != nil:
		return fmt.Errorf("it holds a user name; put credentials into OTEL_EXPORTER_OTLP_HEADERS")
	}
	return nil
}

// ParseList reads the form of OTEL_EXPORTER_OTLP_HEADERS and
// OTEL_RESOURCE_ATTRIBUTES: name=value pairs with commas between them, values
// percent-encoded. Empty items are passed over, of two with the same name the last
// counts, and "" is an empty map. The error does not quote the text, which may hold
// credentials.
func ParseList(text string) (map[string]string, error) {
	list := make(map[string]string)
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || name == "" || err != nil {
			return nil, fmt.Errorf("it is not a list of name=value with commas between them, values percent-encoded")
		}
		list[name] = decoded
	}
	return list, nil
}

// Committed queues the spans that a growth ended, if the run is sampled. It is
// called once for each growth, after its commit, by the goroutine that drives the
// run; nothing of the growth is kept but ids and names.
func (s *Service) Committed(g executor.Growth) {
	p, sampled := s.traceContext(g.After.RunID, g.Trace)
	if sampled {
		s.queue.add(spansOf(g, p, s.sendsTrace))
	}
}

// Outgoing returns the traceparent (W3C Trace Context, version 00) for what an
// attempt sends: it names the attempt's own span, which is made only when the
// attempt has ended, and carries whether the run is sampled.
func (s *Service) Outgoing(call executor.Call) string {
	p, sampled := s.traceContext(call.RunID, executor.Trace{Parent: call.TraceParent, State: call.TraceState})
	ref := machine.Ref{StepID: call.StepID, Iteration: call.Iteration}
	// Of the caller's flags the one that says how the trace id was drawn stays.
	flags := p.flags & 0x02
	return fmt.Sprintf("00-%s-%s-%s", p.trace, attemptSpan(call.RunID, ref, call.Attempt), flags.WithSampled(sampled))
}

// traceContext finds a run's place in its trace and whether it is sampled: a
// function of the trace, so every process decides alike. With a caller the sampler
// sees the caller's decision.
func (s *Service) traceContext(runID string, t executor.Trace) (traceContext, bool) {
	p := traceContextOf(runID, t)
	ctx := context.Background()
	if p.callerSpan.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, p.spanContext(p.callerSpan))
	}
	decision := s.sampler.ShouldSample(sdktrace.SamplingParameters{
		ParentContext: ctx, TraceID: p.trace, Name: "run", Kind: trace.SpanKindInternal,
	})
	return p, decision.Decision == sdktrace.RecordAndSample
}

// spanContext returns the context of a span in this trace, with the flags and the
// state of p.
func (p traceContext) spanContext(span trace.SpanID) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: p.trace, SpanID: span, TraceFlags: p.flags, TraceState: p.state,
	})
}

// Stats counts spans since the start, each once: as sent, dropped or failed. Those
// that wait are in none.
type Stats struct {
	Sent    uint64 // a collector took them
	Dropped uint64 // the queue was full, or the time at the end was up
	Failed  uint64 // the collector refused them, or was unavailable for too long
}

// Stats returns what has become of the spans since the start.
func (s *Service) Stats() Stats { return s.queue.stats() }

// Close sends what is queued until ctx ends, and drops the rest, which is an error
// that says how many spans that were. Call it after the last run was driven; what is
// committed later is dropped.
func (s *Service) Close(ctx context.Context) error { return s.queue.close(ctx) }
