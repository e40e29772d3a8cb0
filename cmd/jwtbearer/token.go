package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

type tokenCommand struct {
	flags          sessionFlags
	url            string
	decode, access bool
}

func newTokenCommand() *cobra.Command {
	var c tokenCommand
	cmd := &cobra.Command{
		Use:   "token -f FILE",
		Short: "Print the token that a request would carry",
		Long: `Signs a token as for a request and prints it, without sending anything. Where its claims depend on the request, that
is GET of the base URI, unless -X, --url, -d and -H say otherwise. Of a connection with an exchange it is the assertion that
the token endpoint would get; --access fetches the access token instead.

With --decode it prints JSON instead: header and claims in their order, and what the times among them mean. It does not hold
the signature, and ****** where claims hold secrets.

Exit status: 0 fine, 1 the key said no, or with --access the token endpoint, 2 wrong usage or configuration,
130 interrupted.`,
		Example: `  jwtbearer token -f conn.yaml
  jwtbearer token -f conn.yaml --decode
  jwtbearer token -f conn.yaml -X POST --url '/orders?x=1' -d '{"id":7}' --decode | jq .claims
  curl -H "Authorization: Bearer $(jwtbearer token -f conn.yaml --access)" https://api.example.com/me`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              arguments(),
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	c.flags.add(cmd)
	cmd.Flags().StringVar(&c.url, "url", "", "what the request is for: a `reference` as that of jwtbearer request")
	cmd.Flags().BoolVar(&c.decode, "decode", false, "print header, claims and times instead of the token")
	cmd.Flags().BoolVar(&c.access, "access", false, "print what the API gets: with an exchange, the access token, which is fetched")
	return cmd
}

func (c *tokenCommand) run(cmd *cobra.Command) error {
	s, err := c.flags.open(cmd)
	if err != nil {
		return err
	}
	defer s.client.CloseIdleConnections()
	return interruptible(cmd.Context(), func(ctx context.Context) error {
		token, err := c.token(s.verbose.follow(ctx, 0), s)
		if err != nil {
			return err
		}
		if c.decode {
			return writeDecoded(cmd.OutOrStdout(), token, secretsOf(s.conn))
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
		return err
	})
}

// token is what a request carries or, of a connection with an exchange, what the token endpoint gets.
func (c *tokenCommand) token(ctx context.Context, s *session) (string, error) {
	if c.access && s.conn.Exchange != nil {
		access, err := s.client.Token(ctx)
		if err != nil {
			return "", refused(err)
		}
		return string(access.Value), nil
	}
	var req *http.Request
	if s.conn.Exchange == nil { // an assertion is for the token endpoint, whatever the request
		var err error
		if req, err = s.message.request(ctx, s.client, c.url); err != nil {
			return "", err
		}
		defer closeBody(req)
	}
	token, err := s.client.Mint(ctx, req)
	return token, refused(err)
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
