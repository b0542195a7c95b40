// Talks to a server through OpenAI's client and prints what it got, as one line of JSON.
// node client.js BASE_URL KEY PICTURE(data URL)
import OpenAI from "openai";

const [baseURL, apiKey, picture] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [
  {
    role: "user",
    content: [
      { type: "image_url", image_url: { url: picture } },
      { type: "text", text: "Describe this image." },
    ],
  },
];

/** The error that a call ends in: its class, status and what the server said. */
async function errorOf(call) {
  try {
    await call();
    return null;
  } catch (error) {
    const { status, code, param, type } = error;
    return { name: error.constructor.name, status, code, param, type, message: error.message };
  }
}

const models = [];
for await (const model of client.models.list()) models.push(model.id);
const model = models[0];

const answer = await client.chat.completions.create({
  model,
  messages,
  max_completion_tokens: 6,
  stop: [" cross"],
  logprobs: true,
  top_logprobs: 2,
});

const chunks = [];
const stream = await client.chat.completions.create({
  model,
  messages,
  max_tokens: 3,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) chunks.push(chunk);

// The client's own way of putting chunks together; it holds them to OpenAI's shape.
const runner = client.chat.completions.stream({ model, messages, max_tokens: 3, logprobs: true, top_logprobs: 1 });
const deltas = [];
runner.on("content", (delta) => deltas.push(delta));
const joined = await runner.finalChatCompletion();

// A conversation goes on with the message as the client keeps it.
const next = await client.chat.completions.create({
  model,
  messages: [...messages, joined.choices[0].message, { role: "user", content: "And now?" }],
  max_tokens: 2,
});

const explained = await client.chat.completions.create({ model, messages, max_tokens: 2, tamx: { maps: true } });

const broken = [
  { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
];
console.log(
  JSON.stringify({
    models,
    retrieved: (await client.models.retrieve(model)).id,
    answer,
    chunks,
    deltas,
    joined,
    next,
    maps: explained.tamx.maps.answer.length,
    errors: {
      model: await errorOf(() => client.models.retrieve("gpt-4o")),
      picture: await errorOf(() => client.chat.completions.create({ model, messages: broken })),
      stream: await errorOf(() => client.chat.completions.create({ model, messages: broken, stream: true })),
      setting: await errorOf(() => client.chat.completions.create({ model, messages, n: 2 })),
      key: await errorOf(() => new OpenAI({ baseURL, apiKey: "another-key", maxRetries: 0 }).models.list()),
    },
  }),
);
