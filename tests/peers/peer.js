// The npm package simple-hl7 as a partner: `peer.js send HOST PORT FILE` sends each message of FILE (they stand apart by
// an empty line) and prints MSA-1 and MSA-2 of its answer; `peer.js receive` listens, prints its port, then MSH-10 and
// PID-5 of every message.

const fs = require("fs");
const net = require("net");
const hl7 = require("../../target/peers/node/node_modules/simple-hl7");

function send(host, port, path) {
  const messages = fs.readFileSync(path, "utf8").split("\n\n");
  const client = hl7.Server.createTcpClient({ host, port: Number(port), keepalive: true });
  const parser = new hl7.Parser({ segmentSeperator: "\r" });
  const next = () => {
    const message = messages.shift();
    if (message === undefined) process.exit(0);
    client.send(parser.parse(message), (error, answer) => {
      if (error) throw error;
      const msa = answer.getSegment("MSA");
      console.log(msa.getField(1), msa.getField(2));
      setImmediate(next);
    });
  };
  next();
}

function receive() {
  const app = hl7.tcp();
  app.use((request, response) => {
    const message = request.msg;
    console.log(message.header.getField(8), message.getSegment("PID").getField(5));
    response.end();
  });
  // It takes no port 0: one that was free a moment ago.
  const probe = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => {
      app.start(port);
      console.log(port);
    });
  });
}

if (process.argv[2] === "send") send(...process.argv.slice(3));
else receive();
