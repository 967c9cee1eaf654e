import { render } from "preact";
import { App, type Started } from "./app";
import type { Config } from "./core/core";
import { connect } from "./core/worker-core";
import "./style/index.css";

async function start(): Promise<Started> {
  const response = await fetch("/app/config.json");
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const config = (await response.json()) as Config;
  return { config, core: await connect(config) };
}

const root = document.getElementById("app");
if (root) render(<App start={start} />, root);
