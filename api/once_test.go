package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

func keyed(path, body, key string) request {
	return request{method: http.MethodPost, path: path, body: body, header: map[string]string{"Idempotency-Key": key}}
}

func TestTheSameKeyHasOneEffect(t *testing.T) {
	s := newStack(t)
	create := `{"definition":` + trivial + `}`
	first := s.do(keyed("/api/workflows", create, "k1")).want(t, http.StatusCreated)
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer is not a replay")
	}
	// White space and order of keys do not matter.
	again := s.do(keyed("/api/workflows", " "+strings.ReplaceAll(create, `,"steps"`, ` , "steps"`), "k1")).want(t, http.StatusCreated)
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" ||
		again.header.Get("Location") != first.header.Get("Location") || again.header.Get("ETag") != first.header.Get("ETag") {
		t.Errorf("replayed %s %v\nfirst %s %v", again.body, again.header, first.body, first.header)
	}
	s.do(keyed("/api/workflows", `{"definition":`+parked+`}`, "k1")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
	if total := s.get("/api/workflows").field(t, "total"); total != jsonNumber(1) {
		t.Errorf("%v workflows", total)
	}
	run := "/api/workflows/" + first.text(t, "id") + "/run"
	a := s.do(keyed(run, `{"input_data":1}`, "k1")).want(t, http.StatusAccepted) // another path, another scope
	b := s.do(keyed(run, `{"input_data":1}`, "k1")).want(t, http.StatusAccepted)
	if a.body != b.body || b.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s, then %s", a.body, b.body)
	}
	s.do(keyed(run, `{"input_data":2}`, "k1")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
	s.do(keyed(run, ``, "k2")).want(t, http.StatusAccepted)
	if got := s.do(keyed(run, ``, "k2")).want(t, http.StatusAccepted); got.header.Get("Idempotency-Replayed") != "true" {
		t.Error("an empty body is a body like any other")
	}
}

func TestARefusalFreesTheKey(t *testing.T) {
	s := newStack(t)
	s.do(keyed("/api/workflows", `{"definition":{"name":"x","steps":[]}}`, "k")).wantCode(t, http.StatusUnprocessableEntity, "invalid_definition")
	s.do(keyed("/api/workflows", `{"definition":`+trivial+`}`, "k")).want(t, http.StatusCreated)
}

func TestKeysAreTheTenantsOwn(t *testing.T) {
	s := newStack(t)
	body := `{"definition":` + trivial + `}`
	mine := s.do(keyed("/api/workflows", body, "k")).want(t, http.StatusCreated)
	s.admin = s.tenant("other")
	theirs := s.do(keyed("/api/workflows", body, "k")).want(t, http.StatusCreated)
	if mine.text(t, "id") == theirs.text(t, "id") {
		t.Error("one tenant got the other's answer")
	}
}

func TestTwoAtOnceCreateOne(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, "")
	var wg sync.WaitGroup
	bodies := make([]string, 16)
	for i := range bodies {
		wg.Go(func() {
			bodies[i] = s.do(keyed("/api/workflows/"+id+"/run", `{}`, "same")).body
		})
	}
	wg.Wait()
	for _, b := range bodies {
		if b != bodies[0] || !strings.Contains(b, "run_id") {
			t.Errorf("%s differs from %s", b, bodies[0])
		}
	}
	if total := s.get("/api/workflows/"+id+"/runs").field(t, "total"); total != jsonNumber(1) {
		t.Errorf("%v runs", total)
	}
}

// What another process stored between this one's look and its own commit.
func TestAKeyTakenElsewhereIsReplayed(t *testing.T) {
	s := newStack(t)
	id := s.create(trivial, "")
	first := s.do(keyed("/api/workflows/"+id+"/run", `{}`, "k")).want(t, http.StatusAccepted)
	s.blind = true
	again := s.do(keyed("/api/workflows/"+id+"/run", `{}`, "k")).want(t, http.StatusAccepted)
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	s.blind = true
	s.do(keyed("/api/workflows/"+id+"/run", `{"trigger":"api"}`, "k")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
}
