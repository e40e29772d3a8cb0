// Package tokensource gives the tokens of a jwtbearer.Client to code that wants an oauth2.TokenSource: the client libraries of
// Google and others, and the credentials of gRPC (google.golang.org/grpc/credentials/oauth).
//
//	service, err := storage.NewClient(ctx, option.WithTokenSource(tokensource.New(ctx, client)))
//
// What such code sends goes past the client: it has its own retries, knows nothing of the client's pace, and no refusal of a
// token reaches the client.
package tokensource

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/seed-363d07a3/jwtbearer"
)

// New returns a source of what the API gets: the access token where the Connection has an Exchange, else the JWT. The client
// keeps an access token and renews it, so the source needs no oauth2.ReuseTokenSource around it; a JWT is a fresh one each time
// unless TokenReuse lets it serve for longer. A token that depends on the request cannot be had: its error says so.
//
// ctx bounds every wait for a token. The source is safe for concurrent use.
func New(ctx context.Context, client *jwtbearer.Client) oauth2.TokenSource {
	return &source{ctx, client}
}

// A source keeps its context, since oauth2.TokenSource has no place for one.
type source struct {
	ctx    context.Context
	client *jwtbearer.Client
}

// Token implements oauth2.TokenSource.
func (s *source) Token() (*oauth2.Token, error) {
	t, err := s.client.Token(s.ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: string(t.Value), TokenType: t.Type, Expiry: t.Expiry}, nil
}
