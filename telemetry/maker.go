package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// spanMaker makes the SDK's spans with ids that are known beforehand. It is
// used by one goroutine, the queue's.
type spanMaker struct {
	tracer trace.Tracer
	spans  []sdktrace.ReadOnlySpan
}

// newMaker returns a maker whose spans name the process as res does.
func newMaker(res *resource.Resource) *spanMaker {
	m := &spanMaker{}
	// Sampling was decided before a span gets here.
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithIDGenerator(givenIDs{}),
		sdktrace.WithResource(res), sdktrace.WithSpanProcessor((*collector)(m)),
	)
	m.tracer = provider.Tracer("heddle")
	return m
}

// make returns the batch in the SDK's form, which the exporter takes, in the same
// order. The slice is the caller's.
func (m *spanMaker) make(batch []span) []sdktrace.ReadOnlySpan {
	m.spans = make([]sdktrace.ReadOnlySpan, 0, len(batch))
	for i := range batch {
		m.makeSpan(&batch[i])
	}
	return m.spans
}

// makeSpan starts and ends a span of the SDK with the ids and times of s. Nothing of
// it depends on the clock.
func (m *spanMaker) makeSpan(s *span) {
	ctx := context.WithValue(context.Background(), idsKey{}, s)
	// What is made was sampled, whatever flags the caller had.
	sampled := s.run.traceContext
	sampled.flags = trace.FlagsSampled
	if s.parent.IsValid() {
		parent := sampled.spanContext(s.parent)
		ctx = trace.ContextWithSpanContext(ctx, parent.WithRemote(s.remote))
	}
	options := []trace.SpanStartOption{
		trace.WithTimestamp(s.start), trace.WithSpanKind(s.kind), trace.WithAttributes(s.attributes()...),
	}
	if s.link.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: sampled.spanContext(s.link)}))
	}
	_, made := m.tracer.Start(ctx, s.name, options...)
	if code := s.status(); code != 0 {
		made.SetStatus(code, s.code)
	}
	made.End(trace.WithTimestamp(s.end))
}

// idsKey is the context key of the *span whose ids givenIDs hands out.
type idsKey struct{}

// givenIDs hands out the ids of the span that the context names, in place of the SDK's
// random ones.
type givenIDs struct{}

// NewIDs returns the ids of a root span.
func (givenIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	s, _ := ctx.Value(idsKey{}).(*span)
	return s.run.trace, s.id
}

// NewSpanID returns the id of a span in the trace of its parent.
func (givenIDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	s, _ := ctx.Value(idsKey{}).(*span)
	return s.id
}

// collector keeps spans as they end, for make. The SDK calls it on the goroutine
// that ends a span, so it needs no lock.
type collector spanMaker

func (c *collector) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (c *collector) OnEnd(s sdktrace.ReadOnlySpan)                   { c.spans = append(c.spans, s) }
func (c *collector) Shutdown(context.Context) error                  { return nil }
func (c *collector) ForceFlush(context.Context) error                { return nil }
