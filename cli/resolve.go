package cli

import (
	"heddle/client"
	"iter"
	"strings"
)

// wholeID is how many characters an id has behind its kind and _.
const wholeID = 24

// whole reports whether a text is an id of the kind, with all of its characters.
func whole(kind, ref string) bool {
	rest, ok := strings.CutPrefix(ref, kind+"_")
	return ok && len(rest) == wholeID && strings.Trim(rest, "0123456789abcdef") == ""
}

// one returns the one of the candidates that begins with the reference, which may lack the kind
// and _. None is notFound; several are a usage error that names them.
func one(kind, ref string, candidates []string, notFound error) (string, error) {
	full := ref
	if !strings.HasPrefix(ref, kind+"_") {
		full = kind + "_" + ref
	}
	var fit []string
	for _, c := range candidates {
		if c == ref {
			return c, nil
		}
		if strings.HasPrefix(c, full) {
			fit = append(fit, c)
		}
	}
	switch len(fit) {
	case 0:
		return "", notFound
	case 1:
		return fit[0], nil
	}
	return "", usagef("%s is the beginning of more than one: %s", ref, strings.Join(fit[:min(len(fit), 5)], ", "))
}

// workflow returns the id or slug that a reference means: a slug, an id, or the beginning of an id
// that no other has.
func (s *session) workflow(ref string) (string, error) {
	if ref == "" {
		return "", usagef("which workflow? Name it by its slug or id")
	}
	if whole("wf", ref) {
		return ref, nil
	}
	w, err := s.c.Workflows.Get(s.ctx, ref)
	if err == nil {
		return w.Slug, nil
	}
	if client.CodeOf(err) != "workflow_not_found" || len(ref) < 4 {
		return "", err
	}
	var ids []string
	for w, listErr := range s.c.Workflows.All(s.ctx, client.WorkflowQuery{}) {
		if listErr != nil {
			return "", listErr
		}
		ids = append(ids, w.ID)
	}
	return one("wf", ref, ids, err)
}

// run returns the id of the run that a reference means: an id, or the beginning of one.
func (s *session) run(ref string) (string, error) {
	if whole("run", ref) {
		return ref, nil
	}
	_, err := s.c.Runs.View(s.ctx, ref)
	if err == nil {
		return ref, nil
	}
	if client.CodeOf(err) != "run_not_found" {
		return "", err
	}
	text := ref
	if !strings.HasPrefix(text, "run_") {
		text = "run_" + text
	}
	page, listErr := s.c.Runs.List(s.ctx, client.RunQuery{RunFilter: client.RunFilter{Text: text}, CursorQuery: client.CursorQuery{Limit: 6}})
	if listErr != nil {
		return "", err
	}
	var ids []string
	for _, r := range page.Items {
		ids = append(ids, r.ID)
	}
	return one("run", ref, ids, err)
}

// schedule returns the id of the schedule that a reference means.
func (s *session) schedule(ref string) (string, error) {
	return resolve("sched", ref, func() error { _, err := s.c.Schedules.Get(s.ctx, ref); return err },
		s.c.Schedules.All(s.ctx, client.ScheduleQuery{}), func(x client.ListedSchedule) string { return x.ID })
}

// template returns the id of the template that a reference means.
func (s *session) template(ref string) (string, error) {
	return resolve("tpl", ref, func() error { _, err := s.c.Templates.Get(s.ctx, ref); return err },
		s.c.Templates.All(s.ctx, client.TemplateQuery{}), func(x client.TemplateSummary) string { return x.ID })
}

// key returns the id of the key that a reference means.
func (s *session) key(ref string) (string, error) {
	return resolve("key", ref, func() error { _, err := s.c.Keys.Get(s.ctx, ref); return err },
		s.c.Keys.All(s.ctx, client.CursorQuery{}), func(x client.Key) string { return x.ID })
}

// resolve returns the id that a reference means: the reference itself where get finds it, or the
// one of all that begins with it.
func resolve[T any](kind, ref string, get func() error, all iter.Seq2[T, error], id func(T) string) (string, error) {
	if whole(kind, ref) {
		return ref, nil
	}
	notFound := get()
	if notFound == nil {
		return ref, nil
	}
	if !client.IsNotFound(notFound) && client.CodeOf(notFound) != "invalid_request" {
		return "", notFound
	}
	var ids []string
	for item, err := range all {
		if err != nil {
			return "", err
		}
		ids = append(ids, id(item))
	}
	return one(kind, ref, ids, notFound)
}

// slugs completes a workflow as the first argument.
func slugs(s *session, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	var names []string
	for w, err := range s.c.Workflows.All(s.ctx, client.WorkflowQuery{PageQuery: client.PageQuery{CursorQuery: client.CursorQuery{Limit: 200}}}) {
		if err != nil {
			break
		}
		names = append(names, w.Slug+"\t"+w.Name)
	}
	return names
}

// completeOf completes the first argument by the newest of a list.
func completeOf[T any](list func(s *session) iter.Seq2[T, error], name func(T) string) completion {
	return func(s *session, args []string) []string {
		if len(args) > 0 {
			return nil
		}
		items, _ := take(50, list(s)) // a shell shows no errors
		names := make([]string, len(items))
		for i, item := range items {
			names[i] = name(item)
		}
		return names
	}
}
