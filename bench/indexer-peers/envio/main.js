// Envio as its own `start` starts it, told of the database in the way that it wants.
const url = new URL(process.env.DATABASE_URL);
Object.assign(process.env, {
  ENVIO_PG_HOST: url.hostname,
  ENVIO_PG_PORT: url.port,
  ENVIO_PG_USER: url.username,
  // Nobody is asked for it.
  ENVIO_PG_PASSWORD: "none",
  ENVIO_PG_DATABASE: url.pathname.slice(1),
  ENVIO_HASURA: "false",
  TUI_OFF: "true",
});
process.chdir("generated");
// Its metrics have a fixed port otherwise.
const free = require("node:net").createServer();
free.listen(0, "127.0.0.1", () => {
  process.env.ENVIO_INDEXER_PORT = String(free.address().port);
  free.close(async () => {
    await require("./generated/src/db/Migrations.res.js").runUpMigrations(false, true);
    require("./generated/src/Index.res.js");
  });
});
