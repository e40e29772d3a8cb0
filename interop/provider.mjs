// Serves panva's oidc-provider, with one client that authenticates by private_key_jwt (RFC 7523, section 2.2). Reads its JWK set
// from stdin and writes its address to stdout. /things accepts its access tokens, and /why tells why it refused last.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

const jwks = JSON.parse(await text(process.stdin));
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'service',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: 'read',
    jwks,
  }],
  scopes: ['read', 'write'],
  features: { clientCredentials: { enabled: true } },
  ttl: { ClientCredentials: 600 },
});
let why = '';
provider.on('grant.error', (_, err) => {
  why = [err.error_detail, err.cause?.message].filter(Boolean).join(': ');
});

const oidc = provider.callback();
server.on('request', async (req, res) => {
  if (req.url === '/why') {
    res.end(why);
  } else if (req.url === '/things') {
    const token = await provider.ClientCredentials.find(req.headers.authorization?.replace(/^Bearer /, ''));
    res.writeHead(token?.isValid && token.scope === 'read' ? 204 : 401).end();
  } else {
    oidc(req, res);
  }
});
process.stdout.write(`${issuer}\n`);
