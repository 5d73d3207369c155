// One message of every type that a bot can send.

const picture = "https://example.com/picture.jpg";
const movie = "https://example.com/movie.mp4";
const emoji = { productId: "5ac1bfd5040ab15980c9b435", emojiId: "001" };

const yes = { type: "message", label: "Yes", text: "yes" };
const no = { type: "postback", label: "No", data: "no=1", displayText: "no", inputOption: "closeRichMenu" };
const link = { type: "uri", label: "Open", uri: "https://example.com/", altUri: { desktop: "https://example.com/pc" } };
const when = {
  type: "datetimepicker", label: "When?", data: "when", mode: "datetime",
  initial: "2026-12-25T08:30", min: "2026-01-01T00:00", max: "2027-12-31T23:59",
};
const copy = { type: "clipboard", label: "Copy", clipboardText: "180" };
const actions = [
  yes, no, link, when, copy,
  { type: "camera", label: "Camera" }, { type: "cameraRoll", label: "Pictures" }, { type: "location", label: "Here" },
];
const area = (x) => ({ x, y: 0, width: 520, height: 1040 });
const column = (title) => ({
  thumbnailImageUrl: picture, title, text: "Which?", defaultAction: link, actions: [yes, no, link],
});

const hero = { type: "image", url: picture, size: "full", aspectRatio: "20:13", aspectMode: "cover" };
const bubble = {
  type: "bubble",
  size: "mega",
  hero: { ...hero, action: link },
  body: {
    type: "box", layout: "vertical", spacing: "md", paddingAll: "20px",
    background: { type: "linearGradient", angle: "0deg", startColor: "#ffffff", endColor: "#eeeeee" },
    contents: [
      {
        type: "box", layout: "baseline",
        contents: [{ type: "icon", url: picture, size: "sm" }, { type: "text", text: "Timer", weight: "bold", wrap: true }],
      },
      { type: "separator", margin: "md", color: "#cccccc" },
      { type: "text", contents: [{ type: "span", text: "3", color: "#ff0000" }, { type: "span", text: " minutes" }] },
    ],
  },
  footer: {
    type: "box", layout: "horizontal", contents: [{ type: "button", action: yes, style: "primary", height: "sm" }],
  },
};
const film = {
  type: "bubble",
  size: "mega",
  hero: { type: "video", url: movie, previewUrl: picture, aspectRatio: "20:13", altContent: hero },
  body: { type: "box", layout: "vertical", contents: [{ type: "text", text: "A film" }] },
};
const flex = (altText, contents) => ({ type: "flex", altText, contents });
const template = (altText, template) => ({ type: "template", altText, template });

export const samples = {
  "text with everything": {
    type: "text", text: "$ hi", emojis: [{ index: 0, ...emoji }],
    sender: { name: "Clock", iconUrl: "https://example.com/i.png" },
    quickReply: { items: actions.map((action) => ({ type: "action", action })) },
  },
  "textV2": { type: "textV2", text: "Hello {smile}!", substitution: { smile: { type: "emoji", ...emoji } } },
  "sticker": { type: "sticker", packageId: "446", stickerId: "1988" },
  "image": { type: "image", originalContentUrl: picture, previewImageUrl: picture },
  "video": { type: "video", originalContentUrl: movie, previewImageUrl: picture, trackingId: "film-1" },
  "audio": { type: "audio", originalContentUrl: "https://example.com/song.m4a", duration: 60_000 },
  "location": { type: "location", title: "Peak", address: "Hakone", latitude: 35.2324, longitude: 139.1069 },
  "imagemap": {
    type: "imagemap", baseUrl: "https://example.com/map", altText: "A map", baseSize: { width: 1040, height: 1040 },
    video: {
      originalContentUrl: movie, previewImageUrl: picture, area: area(0),
      externalLink: { linkUri: "https://example.com/", label: "More" },
    },
    actions: [
      { type: "uri", linkUri: "https://example.com/", area: area(0) },
      { type: "message", text: "left", area: area(520) },
      { type: "clipboard", clipboardText: "180", area: area(520) },
    ],
  },
  "template buttons": template("Buttons", {
    type: "buttons", thumbnailImageUrl: picture, imageAspectRatio: "square", imageSize: "contain",
    imageBackgroundColor: "#FFFFFF", title: "Timer", text: "Which?", defaultAction: link, actions: [yes, no, link, when],
  }),
  "template confirm": template("Confirm", { type: "confirm", text: "Sure?", actions: [yes, no] }),
  "template carousel": template("Carousel", {
    type: "carousel", imageAspectRatio: "rectangle", imageSize: "cover", columns: [column("One"), column("Two")],
  }),
  "template image_carousel": template("Pictures", {
    type: "image_carousel", columns: [yes, no, link].map((action) => ({ imageUrl: picture, action })),
  }),
  "flex bubble": flex("A bubble", bubble),
  "flex carousel": flex("Bubbles", { type: "carousel", contents: [bubble, bubble] }),
  "flex video": flex("A film", film),
  "coupon": { type: "coupon", couponId: "01JYNW8JMQVFBNWF1APF8Z3FS7", deliveryTag: "summer" },
};

/** Tells whether LINE gives a message a quote token; nobody can quote an audio or a place. */
export const isQuotable = (name) => !["audio", "location"].includes(name);
