export default {
  reporter: "list",
  // The browsers of the image, unless CHROMIUM names another one.
  use: { launchOptions: { executablePath: process.env.CHROMIUM || undefined } },
};
