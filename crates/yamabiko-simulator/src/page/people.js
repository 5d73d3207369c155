// New users and groups, and the members of a group.

import { call, chat, deeds, find, forms, happenToAll, lang, me, post } from "./base.js";

function go(id, speaker) {
  const as = speaker ? `&as=${speaker}` : "";
  location.assign(`/?user=${id}${as}&lang=${lang}`);
}

forms.user = async ({ displayName, language }) => {
  const user = await post("users", { displayName: displayName.value, language: language.value });
  if (user) go(user.userId);
  return user;
};

forms.group = async ({ groupName, members, room, join }) => {
  // One box alone is no list.
  const boxes = members.length === undefined ? [members] : [...members];
  const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
  const group = await post("groups", {
    groupName: groupName.value,
    members: chosen,
    room: room.checked,
    join: join.checked,
  });
  if (group) go(group.groupId ?? group.roomId, chosen.includes(me) ? me : chosen[0]);
  return group;
};

deeds.mode = ({ dataset }) => call("PUT", `chats/${chat}/mode`, { mode: dataset.mode });
deeds.memberLeft = ({ dataset }) => happenToAll({ type: "memberLeft", userIds: [dataset.user] });
deeds.memberJoined = () => happenToAll({ type: "memberJoined", userIds: [find("#newcomer").value] });
