// A provider of OpenID Connect that others use, too (npm's oidc-provider), for the tests:
//   node provider.mjs FOLDER-OF-NODE_MODULES REDIRECT ALGORITHM WHERE HOST
// It takes anybody who types an e-mail address; one that begins with "unverified" was not verified. WHERE is "token" or
// "userinfo": where it says the address; HOST is a name of this machine. It prints its issuer, and ends when its standard input does.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules, redirect, algorithm, where, host] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${modules}/${path}`).href);
const { Provider } = await load("oidc-provider/lib/index.js");
const jose = await load("jose/dist/webapi/index.js");

const key = async (alg, kid) => {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { ...(await jose.exportJWK(privateKey)), kid, alg, use: "sig" };
};
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://${host}:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: "tidegate", client_secret: "S3CR3T-canary of the client", redirect_uris: [redirect],
    response_types: ["code"], grant_types: ["authorization_code"], id_token_signed_response_alg: algorithm,
  }],
  jwks: { keys: [await key("RS256", "one"), await key("ES256", "two")] },
  cookies: { keys: ["for these tests alone"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  conformIdTokenClaims: where === "userinfo",
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600 },
  findAccount: (_, id) => ({
    accountId: id, claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("unverified") }),
  }),
  async loadExistingGrant(ctx) {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid email");
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (ctx.path === "/favicon.ico") return void (ctx.status = 204);
  if (!ctx.path.startsWith("/interaction/")) return next();
  if (ctx.method === "GET") {
    ctx.body = `<!DOCTYPE html><html lang="en"><title>Provider</title><main><form method="post" action="${ctx.path}">
      <label for="email">Account</label><input id="email" name="email"><button type="submit">Continue</button></form>
      <form method="post" action="${ctx.path}"><button type="submit">No, thanks</button></form></main>`;
    return;
  }
  let body = "";
  for await (const chunk of ctx.req) body += chunk;
  const accountId = new URLSearchParams(body).get("email");
  const result = accountId ? { login: { accountId } } : { error: "access_denied", error_description: "No." };
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
});

server.on("request", provider.callback());
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
console.log(issuer);
