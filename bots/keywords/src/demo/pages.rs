//! The pages of the demonstration, written for it.

use super::scene::Motif;
use crate::language::Language;

/// A page of the demonstration.
#[derive(Debug)]
pub(super) struct DemoPage {
    pub(super) language: Language,
    pub(super) title: &'static str,
    /// Titles that lead to this page.
    pub(super) redirects: &'static [&'static str],
    /// What else the page is found by.
    pub(super) about: &'static [&'static str],
    pub(super) text: &'static str,
    pub(super) picture: Picture,
}

/// The picture that stands for a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picture {
    pub(super) motif: Motif,
    pub(super) license: License,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum License {
    Free,
    /// The wiki knows that it is not free, so it stands for no page.
    Unfree,
    /// It stands for its page as if it were free; only what is said about the file tells otherwise.
    SaidToBeFree,
}

const fn free(motif: Motif) -> Picture {
    Picture { motif, license: License::Free }
}

impl DemoPage {
    /// Returns all names that the page is found by.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.title].into_iter().chain(self.redirects.iter().chain(self.about).copied())
    }

    /// Returns the name of its picture, without namespace.
    pub(super) fn file(&self) -> String {
        format!("Yamabiko demonstration {}.{}", self.title, self.picture.motif.extension())
    }
}

/// Makes a page in Japanese.
const fn japanese(
    title: &'static str,
    redirects: &'static [&'static str],
    about: &'static [&'static str],
    picture: Picture,
    text: &'static str,
) -> DemoPage {
    DemoPage { language: Language::Japanese, title, redirects, about, text, picture }
}

/// Makes a page in English.
const fn english(
    title: &'static str,
    redirects: &'static [&'static str],
    about: &'static [&'static str],
    picture: Picture,
    text: &'static str,
) -> DemoPage {
    DemoPage { language: Language::English, title, redirects, about, text, picture }
}

pub(super) static PAGES: &[DemoPage] = &[
    japanese(
        "けものフレンズ",
        &["けもフレ"],
        &["ジャパリパーク", "かばんちゃん", "サーバルちゃん", "アニメ"],
        Picture { motif: Motif::Dots, license: License::Unfree },
        "けものフレンズは、動物が人の姿になった「フレンズ」たちを描く日本の作品群である。\
         舞台は巨大な動物園ジャパリパークで、サーバルやトキなどのフレンズが暮らしている。\
         2017年にテレビアニメが放送され、東京の放送局を中心に話題を集めた。\
         アニメではサーバルが主人公のかばんとともに、アフリカのサバンナに似た土地から旅を始める。\
         各地の動物園と協力した催しも開かれ、サーバルの展示に人が集まった。",
    ),
    japanese(
        "サーバル",
        &["サーバルキャット"],
        &["ネコ科", "サバンナ", "山猫"],
        free(Motif::Spots),
        "サーバルは、アフリカのサバンナに広く分布するネコ科の動物である。\
         大きな耳と長い脚を持ち、草むらのネズミの音を聞きつけて高く跳びかかる。\
         体は黄色がかった地に黒い斑点があり、ネコ科の中では首も長い。\
         アフリカでは水辺の近くの草原を好み、朝と夕方によく動く。\
         けものフレンズではサーバルのフレンズが主要な登場人物になった。\
         東京の動物園でもサーバルを見ることができる。",
    ),
    japanese(
        "アフリカ",
        &["アフリカ大陸"],
        &["サバンナ", "サハラ砂漠", "ナイル川", "大陸"],
        free(Motif::Savanna),
        "アフリカは、赤道をまたいで広がる大陸である。\
         北にはサハラ砂漠が横たわり、その南にはサバンナと呼ばれる草原が続く。\
         サバンナにはサーバル、ライオン、ゾウなどが暮らしている。\
         東部にそびえるキリマンジャロはアフリカで最も高い山で、富士山と同じく火山である。\
         ナイル川はアフリカの北東部を流れて地中海に注ぐ。",
    ),
    japanese(
        "東京",
        &["東京都", "とうきょう"],
        &["首都", "新宿", "渋谷", "浅草"],
        free(Motif::City),
        "東京は日本の首都であり、人口が最も多い都市である。\
         かつては江戸と呼ばれ、1868年に東京と改められた。\
         東京駅からは東海道新幹線などが発着し、京都や大阪と結ばれている。\
         晴れた冬の日には、東京の高い建物から富士山が見える。\
         春には上野公園の桜が知られ、築地や豊洲の市場では寿司の店が並ぶ。",
    ),
    japanese(
        "富士山",
        &["富士", "ふじさん", "富士の山"],
        &["登山", "火山", "山頂", "静岡県", "山梨県"],
        free(Motif::Mountain),
        "富士山は、静岡県と山梨県にまたがる標高3776メートルの火山である。\
         日本で最も高い山で、2013年に世界文化遺産に登録された。\
         最後の噴火は1707年の宝永噴火で、江戸にも灰が降った。\
         東海道新幹線の車窓からも富士山を眺めることができる。\
         葛飾北斎は富士山をさまざまな場所から浮世絵に描いた。\
         夏の登山の時期には、山小屋から日の出を待つ人が多い。",
    ),
    japanese(
        "山びこ",
        &["やまびこ", "山彦", "木霊"],
        &["こだま", "反響", "エコー"],
        free(Motif::Echo),
        "山びこは、山や谷で出した声が斜面に反射し、遅れて返ってくる現象である。\
         音はおよそ毎秒340メートルで進むので、声が返るまでの時間から山までの距離が分かる。\
         古くは山の神や木霊が答えるものと考えられた。\
         富士山のふもとの谷でも山びこを聞くことができる。\
         やまびことこだまは、新幹線の列車の名前にもなっている。",
    ),
    japanese(
        "京都",
        &["京都市", "京都府"],
        &["金閣寺", "清水寺", "祇園", "古都"],
        free(Motif::Temple),
        "京都は、794年に平安京が置かれてから千年以上にわたって都であった。\
         金閣寺や清水寺など多くの寺と神社があり、古都京都の文化財は世界遺産である。\
         東海道新幹線で東京からおよそ二時間の距離にある。\
         春は桜、秋は紅葉の名所として知られる。\
         祇園祭は夏の京都を代表する祭りで、抹茶の菓子も名物である。",
    ),
    japanese(
        "寿司",
        &["すし", "鮨"],
        &["にぎり", "酢飯", "回転寿司", "和食"],
        free(Motif::Sushi),
        "寿司は、酢で味をつけた飯に魚などを合わせた日本の料理である。\
         にぎり寿司は江戸時代の終わりごろ、いまの東京にあたる江戸で広まった。\
         京都では酢でしめたサバを使う鯖寿司が祭りの日に食べられてきた。\
         回転寿司は大阪で生まれ、いまでは世界の各地にある。\
         抹茶や緑茶を添えて食べることが多い。",
    ),
    japanese(
        "桜",
        &["サクラ", "さくら"],
        &["花見", "ソメイヨシノ", "開花"],
        free(Motif::Blossom),
        "桜は、春に淡い紅色の花を咲かせる木である。\
         広く植えられているソメイヨシノは、江戸時代の終わりに東京の染井で売り出された。\
         花の下に集まって食事を楽しむ花見は、京都の貴族の行事から広まったといわれる。\
         開花は南から北へ進み、北海道では五月に咲く。\
         富士山を背にした桜は、絵や写真の題材として好まれる。",
    ),
    japanese(
        "新幹線",
        &["しんかんせん"],
        &["のぞみ", "鉄道", "高速鉄道"],
        free(Motif::Train),
        "新幹線は、日本の主な都市を結ぶ高速鉄道である。\
         最初の東海道新幹線は1964年に東京と新大阪の間で開業した。\
         東海道新幹線の列車には、のぞみ、ひかり、こだまがある。\
         東北新幹線ではやまびこやはやぶさが走り、北海道新幹線へ続く。\
         東京と京都の間では、進行方向の窓から富士山が見える。",
    ),
    japanese(
        "LINE",
        &["ライン (アプリ)"],
        &["メッセージアプリ", "スタンプ", "LINE公式アカウント"],
        Picture { motif: Motif::Bubbles, license: License::SaidToBeFree },
        "LINEは、文章や音声、スタンプを送り合うためのアプリケーションである。\
         2011年に日本で始まり、東京に本社を置く会社が運営している。\
         Messaging APIを使うと、プログラムで応答するボットを作ることができる。\
         漫画など多くの作品のスタンプがLINEで売られている。\
         台湾やタイでも広く使われている。",
    ),
    japanese(
        "北海道",
        &["ほっかいどう"],
        &["札幌", "知床", "ラベンダー"],
        free(Motif::Snow),
        "北海道は、日本の最も北にある大きな島である。\
         道庁は札幌にあり、冬には雪まつりが開かれる。\
         2016年に北海道新幹線が開業し、東京から函館の近くまで乗り換えずに行けるようになった。\
         知床にはヒグマやシマフクロウが暮らし、世界自然遺産に登録されている。\
         北海道の海の幸は寿司の材料として全国へ運ばれる。",
    ),
    japanese(
        "大阪",
        &["大阪市", "大阪府"],
        &["たこ焼き", "道頓堀", "大阪城"],
        free(Motif::Castle),
        "大阪は、西日本で最も人口の多い都市である。\
         豊臣秀吉が大阪城を築き、商業の町として栄えた。\
         新大阪駅には東海道新幹線と山陽新幹線が乗り入れ、東京や京都と結ばれている。\
         たこ焼きやお好み焼きが名物で、回転寿司も大阪で生まれた。\
         大阪城公園では春に桜が咲く。",
    ),
    japanese(
        "抹茶",
        &["まっちゃ"],
        &["茶道", "緑茶", "宇治"],
        free(Motif::Rings),
        "抹茶は、蒸して乾かした茶葉を石臼でひいた粉の茶である。\
         京都の宇治は古くからの産地として知られる。\
         茶道では抹茶を茶碗に入れ、湯を注いで茶筅で泡立てる。\
         近年は菓子や飲み物にも使われ、東京や大阪の店でも人気がある。",
    ),
    japanese(
        "温泉",
        &["おんせん"],
        &["箱根", "草津", "別府", "露天風呂"],
        free(Motif::Waves),
        "温泉は、地中から湧き出る温かい水、またはそれを使った入浴の場所である。\
         火山の多い日本には数多くの温泉があり、箱根や別府が名高い。\
         箱根の温泉からは富士山が望め、東京からの旅行者が多い。\
         北海道の登別では、地獄谷と呼ばれる谷から湯が湧く。",
    ),
    japanese(
        "日本",
        &["にほん", "日本国"],
        &["列島", "本州"],
        free(Motif::Sun),
        "日本は、東アジアの島国である。\
         北海道、本州、四国、九州の四つの大きな島と多くの小さな島からなる。\
         首都は東京で、京都はかつての都である。\
         最も高い山は富士山で、国土の多くは山地である。\
         新幹線が主な都市を結び、寿司は世界で知られる日本の料理となった。",
    ),
    english(
        "Serval",
        &["Servals"],
        &["wild cat", "savanna"],
        free(Motif::Spots),
        "The serval is a wild cat of Africa. \
         It has long legs and large ears, and hears mice move in tall grass. \
         The serval lives in the savanna, near water, and a zoo in Tokyo keeps some. \
         In Japan, many people know the serval from the Kemono Friends series.",
    ),
    english(
        "Africa",
        &[],
        &["Sahara", "savanna", "Nile", "Kilimanjaro"],
        free(Motif::Savanna),
        "Africa is a continent on both sides of the equator. \
         The Sahara covers much of its north, and savanna lies south of it. \
         Lions, elephants and the serval live in the savanna. \
         Kilimanjaro, a volcano like Mount Fuji, is the highest mountain of Africa.",
    ),
    english(
        "Mount Fuji",
        &["Fuji", "Fujisan", "Mt. Fuji"],
        &["volcano", "mountain"],
        free(Motif::Mountain),
        "Mount Fuji is a volcano and the highest mountain of Japan, 3,776 metres high. \
         It last erupted in 1707. \
         On clear days Mount Fuji can be seen from Tokyo and from the trains of the Shinkansen. \
         Hokusai showed Mount Fuji in a famous series of prints.",
    ),
    english(
        "Tokyo",
        &["Edo"],
        &["Shinjuku", "Asakusa"],
        free(Motif::City),
        "Tokyo is the capital of Japan. \
         It was called Edo until 1868. \
         The Shinkansen connects Tokyo with Kyoto, Osaka and Hokkaido. \
         On clear days its towers have a view of Mount Fuji.",
    ),
    english(
        "Shinkansen",
        &["Bullet train"],
        &["Nozomi", "high-speed rail"],
        free(Motif::Train),
        "The Shinkansen is the network of high-speed railways in Japan. \
         Its first line opened in 1964 between Tokyo and Osaka. \
         From its windows passengers see Mount Fuji. \
         Two of its trains, Yamabiko and Kodama, are named after the echo.",
    ),
];
